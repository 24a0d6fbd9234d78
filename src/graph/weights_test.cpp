#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sluice/network.h"

namespace sluice {
namespace {

TEST(WeightsTest, GlorotUniformKernelsAndZeroBiases) {
  const Sequential model{"m", {32, 32, 3}, {Conv2D{"c", 64}, Flatten{"f"}, Dense{"d", 4}}};
  Weights weights(model);
  weights.initialize(5, 1);
  // Fans of the convolution are 9 * 3 and 9 * 64, of the dense layer 65536 and 4.
  for (const auto& [tensor, fans] : {std::pair{0, 9 * (3 + 64)}, {2, 65536 + 4}}) {
    const auto kernel = weights.values(weights.tensors()[tensor]);
    const double limit = std::sqrt(6.0 / fans);
    double sum = 0;
    double squares = 0;
    for (const float w : kernel) {
      ASSERT_LE(std::abs(w), limit * 1.0001);
      sum += w;
      squares += double(w) * w;
    }
    const double n = static_cast<double>(kernel.size());
    EXPECT_NEAR(sum / n, 0, 4 * limit / std::sqrt(3 * n));
    EXPECT_NEAR(squares / n / (limit * limit / 3), 1, 4 / std::sqrt(n));
  }
  for (const int tensor : {1, 3}) {
    for (const float b : weights.values(weights.tensors()[tensor])) EXPECT_EQ(b, 0);
  }
  std::ranges::fill(weights.values(), 9.f);
  weights.initialize(5, 1);
  EXPECT_EQ(weights.values(weights.tensors()[1])[0], 0) << "what was there before goes";
  Weights other(model);
  other.initialize(5, 2);
  EXPECT_NE(other.values()[0], weights.values()[0]);
}

TEST(WeightsTest, KernelsToMixHaveTheLimitsOfOneAndGatesAreSmall) {
  Weights weights({"m", {8, 8, 25}, {CondConv2D{"c", 40, 32}}});
  weights.initialize(5, 1);
  const auto deviation_of = [&](std::size_t tensor) {
    double squares = 0;
    for (const float w : weights.values(weights.tensors()[tensor])) squares += double(w) * w;
    return std::sqrt(squares / double(weights.tensors()[tensor].size));
  };
  ASSERT_EQ(weights.tensors()[0].kind, "gate_kernel");
  EXPECT_NEAR(deviation_of(0), 0.1, 0.01);
  EXPECT_EQ(deviation_of(1), 0) << weights.tensors()[1].kind;
  ASSERT_EQ(weights.tensors()[2].shape, (Shape{32, 3, 3, 25, 40}));
  const float limit = 1 / std::sqrt(9.f * 25);
  EXPECT_NEAR(deviation_of(2), limit / std::sqrt(3), limit / 100);
  EXPECT_LE(std::ranges::max(weights.values(weights.tensors()[2])), limit);
}

TEST(WeightsTest, TakesTheValuesOfLayersOfItsNamesAndShapes) {
  const Sequential expert{"first", {}, {Conv2D{"conv", 4}}};
  Sequential other = expert;
  other.name = "second";
  const Sequential mixture{
      "m",
      {4, 4, 3},
      {Conv2D{"trunk", 2}, GlobalAveragePooling2D{"means"}, Dense{"gate", 2},
       MixtureOfExperts{"experts", {expert, other}}, Flatten{"flat"}, Dense{"output", 5}},
      {{"experts", {"trunk", "gate"}}}};
  const Sequential dense{"d",
                         {4, 4, 3},
                         {Conv2D{"trunk", 2}, Conv2D{"experts.conv", 4}, GlobalMaxPooling2D{"pool"},
                          Dense{"output", 5}}};  // its bias alone would fit
  Weights start(dense);
  start.initialize(1, 0);
  Weights weights(mixture);
  weights.initialize(2, 0);
  const Weights before = weights;
  EXPECT_EQ(weights.take(start),
            (std::vector<std::string>{"gate/kernel", "gate/bias", "output/kernel", "output/bias"}));
  for (const Weights::Tensor& tensor : weights.tensors()) {
    const bool of_experts = tensor.layer == "experts";
    const bool is_new = tensor.layer == "gate" || tensor.layer == "output";
    const auto taken = std::ranges::find_if(start.tensors(), [&](const Weights::Tensor& each) {
      return each.layer == (of_experts ? "experts.conv" : tensor.layer) &&
             tensor.kind.ends_with(each.kind);
    });
    const auto expected = is_new ? before.values(tensor) : start.values(*taken);
    EXPECT_TRUE(std::ranges::equal(weights.values(tensor), expected))
        << tensor.layer << " " << tensor.kind;
  }
}

}  // namespace
}  // namespace sluice
