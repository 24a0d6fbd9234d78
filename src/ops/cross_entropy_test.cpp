#include "ops/cross_entropy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "ops/reference/reference.h"

namespace sluice::ops {
namespace {

const std::vector<int> kLabels{2, 0};
const std::vector<float> kLogits{0.3f, -1.2f, 0.7f, 2.f, 0.1f, -0.4f};

TEST(CrossEntropy, FromLogitsEqualsSoftmaxThenTheReference) {
  const auto p = reference::softmax({kLogits.begin(), kLogits.end()}, 3);
  std::vector<float> diff(6);
  EXPECT_NEAR(cross_entropy_from_logits(kLogits, kLabels, 0.5f, diff),
              reference::cross_entropy(p, kLabels), 1e-6);
  for (int n = 0; n < 2; ++n) {
    for (int c = 0; c < 3; ++c) {
      const double target = c == kLabels[n] ? 1 : 0;
      EXPECT_NEAR(diff[n * 3 + c], (p[n * 3 + c] - target) / 2, 1e-6);
    }
  }
}

TEST(CrossEntropy, FromLogitsStaysFiniteWhereASoftmaxWouldUnderflow) {
  const std::vector<float> logits{0, 500, 0};
  EXPECT_NEAR(cross_entropy_from_logits(logits, std::vector{0}, 1, {}), 500, 1e-3);
}

TEST(CrossEntropy, OfOutputsIsRenormalisedAndItsGradientGoesThroughTheDivision) {
  const std::vector<float> outputs{.02f, .03f, .05f, .3f, .1f, .2f};  // sums .1 and .6
  std::vector<float> diff(6);
  const double loss = cross_entropy_from_outputs(outputs, kLabels, 1, diff);
  EXPECT_NEAR(loss, -std::log(.5) - std::log(.5), 1e-6);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    reference::Values above(outputs.begin(), outputs.end());
    reference::Values below = above;
    above[i] += 1e-6;
    below[i] -= 1e-6;
    const double slope =
        (reference::cross_entropy(above, kLabels) - reference::cross_entropy(below, kLabels)) /
        2e-6;
    EXPECT_NEAR(diff[i], slope, 1e-3 * std::abs(slope) + 1e-5) << i;
  }
}

TEST(CrossEntropy, ClippedRowsHaveKerassLossAndNoGradient) {
  const std::vector<float> outputs{1, 1e-9f, 1, 1e-9f};
  std::vector<float> diff(4, 7.f);
  const double loss = cross_entropy_from_outputs(outputs, std::vector{1, 0}, 1, diff);
  EXPECT_NEAR(loss, -std::log(1e-7) - std::log(1 - 1e-7), 1e-4);
  EXPECT_EQ(diff, std::vector<float>(4, 0.f));
  const std::vector<float> certain{1, 0};
  EXPECT_NEAR(cross_entropy_from_outputs(certain, std::vector{0}, 1, {}), 1.19e-7, 1e-9);
}

/// Keras's formula with a smoothed one-hot target, times the weight of the label.
double smoothed(const reference::Values& outputs, double smoothing,
                const std::vector<double>& weights) {
  const std::size_t classes = outputs.size() / kLabels.size();
  double total = 0;
  for (std::size_t n = 0; n < kLabels.size(); ++n) {
    const double* row = &outputs[n * classes];
    const double sum = std::accumulate(row, row + classes, 0.0);
    for (std::size_t c = 0; c < classes; ++c) {
      const double one_hot = static_cast<int>(c) == kLabels[n] ? 1 : 0;
      const double target = one_hot * (1 - smoothing) + smoothing / double(classes);
      const double share = std::clamp(row[c] / sum, 1e-7, 1 - 1e-7);
      total -= weights[kLabels[n]] * target * std::log(share);
    }
  }
  return total;
}

/// Slope of `loss` at each value.
template <class Loss>
std::vector<double> slopes(const std::vector<float>& at, const Loss& loss) {
  std::vector<double> all;
  for (std::size_t i = 0; i < at.size(); ++i) {
    reference::Values above(at.begin(), at.end());
    reference::Values below = above;
    above[i] += 1e-6;
    below[i] -= 1e-6;
    all.push_back((loss(above) - loss(below)) / 2e-6);
  }
  return all;
}

TEST(CrossEntropy, SmoothsLabelsAndWeighsRowsAsKeras) {
  const std::vector<float> weights{3, 0.5f};  // of the rows, by their labels 2 and 0
  const Targets targets{0.3f, weights};
  std::vector<float> diff(6);
  const auto of_outputs = [](const reference::Values& outputs) {
    return smoothed(outputs, 0.3, {0.5, 1, 3});
  };
  const auto of_logits = [&](const reference::Values& logits) {
    return of_outputs(reference::softmax(logits, 3));
  };
  EXPECT_NEAR(cross_entropy_from_logits(kLogits, kLabels, 0.25f, diff, targets),
              of_logits({kLogits.begin(), kLogits.end()}), 1e-6);
  std::vector<double> expected = slopes(kLogits, of_logits);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(diff[i], 0.25 * expected[i], 1e-6) << i;

  // The second value of the second row is clipped.
  const std::vector<float> outputs{.02f, .03f, .05f, .3f, 1e-9f, .2f};
  EXPECT_NEAR(cross_entropy_from_outputs(outputs, kLabels, 0.25f, diff, targets),
              of_outputs({outputs.begin(), outputs.end()}), 1e-5);
  expected = slopes(outputs, of_outputs);
  for (std::size_t i = 0; i < 6; ++i) {
    if (i == 4) continue;
    EXPECT_NEAR(diff[i], 0.25 * expected[i], 1e-3 * std::abs(expected[i])) << i;
  }
  // Only the sum of the row depends on it: the targets that are not clipped, 0.9, over the sum 0.5.
  EXPECT_NEAR(diff[4], 0.25 * 0.5 * 0.9 / 0.5, 1e-5);
}

TEST(CrossEntropy, IsNotANumberWhereOutputsSumToZero) {
  const std::vector<float> outputs{0, 0, 0};
  EXPECT_TRUE(std::isnan(cross_entropy_from_outputs(outputs, std::vector{0}, 1, {})));
}

}  // namespace
}  // namespace sluice::ops
