#include "runtime/gating.h"

#include <gmock/gmock.h>

#include <cmath>
#include <vector>

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::Pointwise;

const std::vector<float> kLogits{0.3f, 1.7f, -0.4f, 1.7f};

std::vector<int> chosen_of(std::span<const float> logits, std::size_t top_k) {
  std::vector<int> chosen(top_k);
  choose(logits, chosen);
  return chosen;
}

TEST(Gating, ChoosesTheLargestAndOfEqualOnesTheFirst) {
  EXPECT_THAT(chosen_of(kLogits, 1), ElementsAre(1));
  EXPECT_THAT(chosen_of(kLogits, 3), ElementsAre(1, 3, 0));
  EXPECT_THAT(chosen_of(kLogits, 4), ElementsAre(1, 3, 0, 2));
  EXPECT_THAT(chosen_of(std::vector<float>{NAN, NAN}, 2), ElementsAre(0, 1)) << "different ones";
}

TEST(Gating, WeightsAreTheSoftmaxOfAllOrOfTheChosen) {
  std::vector<float> probabilities(4);
  probabilities_of(kLogits, probabilities);
  const double sum = std::exp(0.3) + 2 * std::exp(1.7) + std::exp(-0.4);
  EXPECT_NEAR(probabilities[0], std::exp(0.3) / sum, 1e-6);
  EXPECT_NEAR(probabilities[2], std::exp(-0.4) / sum, 1e-6);
  const std::vector<int> chosen{1, 0};
  std::vector<float> weights(2);
  weights_of(probabilities, chosen, false, weights);
  EXPECT_THAT(weights, ElementsAre(probabilities[1], probabilities[0]));
  weights_of(probabilities, chosen, true, weights);
  EXPECT_NEAR(weights[0], std::exp(1.7) / (std::exp(1.7) + std::exp(0.3)), 1e-6);
  std::vector<float> large{1000, 999};
  probabilities_of(std::vector<float>{1000, 999}, large);
  EXPECT_NEAR(large[0], 1 / (1 + std::exp(-1.0)), 1e-6) << "of large logits";
}

/// sum(weights * of_weights) + sum(probabilities * of_probabilities)
double loss(const std::vector<double>& logits, const std::vector<int>& chosen, bool normalize,
            const std::vector<float>& of_weights, const std::vector<float>& of_probabilities) {
  double sum = 0;
  double sum_of_chosen = 0;
  for (const double logit : logits) sum += std::exp(logit);
  for (const int e : chosen) sum_of_chosen += std::exp(logits[e]);
  double loss = 0;
  for (std::size_t e = 0; e < logits.size(); ++e) {
    loss += std::exp(logits[e]) / sum * of_probabilities[e];
  }
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    loss += std::exp(logits[chosen[k]]) / (normalize ? sum_of_chosen : sum) * of_weights[k];
  }
  return loss;
}

TEST(Gating, GradientsEqualCentralDifferences) {
  constexpr double kStep = 1e-4;
  const std::vector<float> all_of_weights{0.7f, -1.2f, 0.4f, 2.1f};
  for (const bool normalize : {false, true}) {
    for (std::size_t top_k = 1; top_k <= 4; ++top_k) {
      for (const float balance : {0.f, 0.6f}) {
        SCOPED_TRACE(testing::Message() << normalize << " " << top_k << " " << balance);
        const std::vector<int> chosen = chosen_of(kLogits, top_k);
        const std::vector<float> of_weights(all_of_weights.begin(), all_of_weights.begin() + top_k);
        const std::vector<float> of_probabilities{balance, -2 * balance, 0, balance};
        std::vector<float> probabilities(4), weights(top_k), gradient(4, NAN);
        probabilities_of(kLogits, probabilities);
        weights_of(probabilities, chosen, normalize, weights);
        gate_backward(probabilities, chosen, weights, normalize, of_weights, of_probabilities,
                      gradient);
        std::vector<float> expected;
        for (std::size_t e = 0; e < kLogits.size(); ++e) {
          std::vector<double> logits(kLogits.begin(), kLogits.end());
          logits[e] += kStep;
          const double above = loss(logits, chosen, normalize, of_weights, of_probabilities);
          logits[e] -= 2 * kStep;
          const double below = loss(logits, chosen, normalize, of_weights, of_probabilities);
          expected.push_back(static_cast<float>((above - below) / (2 * kStep)));
        }
        EXPECT_THAT(gradient, Pointwise(FloatNear(1e-5f), expected));
      }
    }
  }
}

}  // namespace
}  // namespace sluice
