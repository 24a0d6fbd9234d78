#include "train/adam.h"

#include <gtest/gtest.h>

#include "ops/reference/reference.h"
#include "runtime/network_testing.h"

namespace sluice {
namespace {

TEST(AdamTest, EqualsKerassFormOverManySteps) {
  constexpr std::size_t kCount = 50000;  // several threads have work
  std::vector<float> weights = random_images(kCount, 1);
  std::vector<float> gradients(kCount);
  reference::Values w(weights.begin(), weights.end()), m(kCount), v(kCount);
  const AdamOptions options{.learning_rate = 0.01};
  Adam adam(options, {{weights, gradients}});
  for (int t = 1; t <= 20; ++t) {
    std::ranges::transform(random_images(kCount, 100 + t), gradients.begin(),
                           [](float g) { return g - 0.5f; });
    adam.step();
    reference::adam(w, m, v, {gradients.begin(), gradients.end()}, t, 0.01, 0.9, 0.999, 1e-7);
  }
  EXPECT_LT(relative_error(weights, w), 1e-5);
}

TEST(AdamTest, EveryOptionCounts) {
  std::vector<float> weights{1, -2, 3};
  std::vector<float> gradients(3);
  reference::Values w(weights.begin(), weights.end()), m(3), v(3);
  Adam adam({.learning_rate = 0.02, .beta_1 = 0.7, .beta_2 = 0.9, .epsilon = 0.25},
            {{weights, gradients}});
  for (int t = 1; t <= 5; ++t) {
    gradients = {0.5f, -0.1f * static_cast<float>(t), 0.01f};
    adam.step();
    reference::adam(w, m, v, {gradients.begin(), gradients.end()}, t, 0.02, 0.7, 0.9, 0.25);
  }
  EXPECT_LT(relative_error(weights, w), 1e-6);
}

TEST(AdamTest, MovesOnWithoutAGradient) {
  std::vector<float> weights{1};
  std::vector<float> gradients{1};
  Adam adam({}, {{weights, gradients}});
  adam.step();
  const float after_one = weights[0];
  gradients[0] = 0;
  adam.step();
  EXPECT_LT(weights[0], after_one);
}

}  // namespace
}  // namespace sluice
