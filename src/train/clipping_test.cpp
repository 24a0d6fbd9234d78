#include "train/clipping.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/parallel.h"
#include "runtime/network_testing.h"

namespace sluice {
namespace {

/// Two blocks: one of two tensors, and one of one.
class ClippingTest : public testing::Test {
 protected:
  /// Returns both blocks' gradients after clipping.
  std::vector<float> clip(const OptimizerOptions& options, std::vector<float> gradients) {
    std::vector<float> weights(gradients.size());
    const std::vector<CompiledModel::Trained> trained{
        {std::span(weights).first(3), std::span(gradients).first(3), std::span(tensors_).first(2)},
        {std::span(weights).last(2), std::span(gradients).last(2), std::span(tensors_).last(1)}};
    Clipping(options, trained).clip();
    return gradients;
  }

  static Weights::Tensor tensor(std::size_t offset, std::size_t size) {
    return {"layer", "kernel", {1}, offset, size, Initializer::zeros, true};
  }
  std::vector<Weights::Tensor> tensors_{tensor(0, 2), tensor(2, 1), tensor(0, 2)};
};

TEST_F(ClippingTest, LeavesGradientsUnlessAsked) {
  const std::vector<float> large{1e30f, -1e30f, 0, 5, 1};
  EXPECT_EQ(clip({}, large), large);
}

TEST_F(ClippingTest, LimitsTheNormOfAll) {
  const std::vector<float> gradients{2, -4, 5, 6, 12};  // norm 15
  EXPECT_EQ(clip({.global_clipnorm = 16}, gradients), gradients);
  EXPECT_EQ(clip({.global_clipnorm = 7.5}, gradients), (std::vector<float>{1, -2, 2.5, 3, 6}));
}

TEST_F(ClippingTest, LimitsTheNormOfEachTensor) {
  EXPECT_EQ(clip({.clipnorm = 5}, {6, -8, 3, 0, 20}), (std::vector<float>{3, -4, 3, 0, 5}));
}

TEST_F(ClippingTest, LimitsEachValue) {
  EXPECT_EQ(clip({.clipvalue = 2}, {1, -3, 2, -2, 9}), (std::vector<float>{1, -2, 2, -2, 2}));
}

TEST_F(ClippingTest, DoesNotDependOnTheNumberOfThreads) {
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2}) {
    const ThreadTeam team(threads);
    std::vector<float> gradients = random_images(100'003, 1);
    std::vector<float> weights(gradients.size());
    Clipping({.global_clipnorm = 1}, {{weights, gradients}}).clip();
    double sum = 0;
    for (const float g : gradients) sum += double(g) * g;
    EXPECT_NEAR(std::sqrt(sum), 1, 1e-6);
    results.push_back(gradients);
  }
  EXPECT_EQ(results[0], results[1]);
}

}  // namespace
}  // namespace sluice
