#include <gmock/gmock.h>

#include <cmath>

#include "graph/weights.h"
#include "sluice/evaluation.h"

namespace sluice {
namespace {

/// Its gate sends an image to the expert of its larger value, and both experts return the image.
Sequential by_larger_value() {
  const auto expert = [](const std::string& name) {
    return Sequential{name, {}, {Dense{"same", 2, Activation::linear, false}}};
  };
  Sequential model{"net", {2}};
  model.layers = {Dense{"gate", 2, Activation::linear, false},
                  MixtureOfExperts{.name = "experts", .experts = {expert("a"), expert("b")}}};
  model.inputs["experts"] = {"images", "gate"};
  return model;
}

TEST(ExpertUse, CountsTheImagesOfEachClassThatAnExpertTook) {
  const Sequential model = by_larger_value();
  Weights weights(model);
  for (const Weights::Tensor& tensor : weights.tensors()) {
    std::ranges::copy(std::vector<float>{1, 0, 0, 1}, weights.values(tensor).begin());
  }
  const LabelledImages images{{2}, {255, 0, 0, 255, 200, 0, 0, 200, 0, 100}, {0, 1, 1, 1, 1}};
  // Two batches, of three images and of two.
  const auto compiled = compile_for_inference(model, weights, {.batch = 3});
  const std::vector<std::string> classes{"zero", "one"};
  const Evaluation found = evaluate(*compiled, Examples(images, classes));
  EXPECT_EQ(found.confusion.accuracy(), 0.8);
  ASSERT_EQ(found.experts.size(), 1);
  const ExpertUse& use = found.experts[0];
  EXPECT_EQ(use.layer, "experts");
  EXPECT_THAT(use.experts, testing::ElementsAre("a", "b"));
  EXPECT_EQ(use.examples, 5);
  const auto is = [](const ExpertUse::Count& count, int taken, int right) {
    EXPECT_EQ(count.taken, taken);
    EXPECT_EQ(count.right, right);
  };
  is(use.of(0, 0), 1, 1);
  is(use.of(0, 1), 0, 0);
  is(use.of(1, 0), 1, 0);
  is(use.of(1, 1), 3, 3);
  is(use.of_all(0), 2, 1);
  // The shares are those of the last pass.
  const std::vector<ExpertShares> layers = compiled->expert_shares();
  ASSERT_EQ(layers.size(), 1);
  EXPECT_FALSE(layers[0].mixed);
  EXPECT_THAT(layers[0].shares, testing::ElementsAre(0, 1, 0, 1));
}

TEST(ExpertUse, OfMixedKernelsAddsTheirWeights) {
  // Its gate gives a kernel three times the weight of the other one; it returns the first value of
  // an image as it is.
  const CondConv2D conv{
      .name = "conv", .filters = 2, .kernels = 2, .kernel_size = 1, .use_bias = false};
  const Sequential model{"net", {1, 1, 2}, {conv, Flatten{"flat"}}};
  Weights weights(model);
  const auto set = [&](const std::string& kind, const std::vector<float>& values) {
    const Weights::Tensor& tensor = tensor_of(std::as_const(weights), "conv", kind);
    std::ranges::copy(values, weights.values(tensor).begin());
  };
  set("gate_kernel", {std::log(3.f), 0, 0, std::log(3.f)});
  set("kernel", {1, 0, 0, 0, 1, 0, 0, 0});
  const LabelledImages images{{1, 1, 2}, {255, 0, 0, 255, 255, 0}, {0, 0, 1}};
  const auto compiled = compile_for_inference(model, weights, {.batch = 2});
  const std::vector<std::string> classes{"zero", "one"};
  const Evaluation found = evaluate(*compiled, Examples(images, classes));
  ASSERT_EQ(found.experts.size(), 1);
  const ExpertUse& use = found.experts[0];
  EXPECT_TRUE(use.mixed);
  EXPECT_EQ(use.layer, "conv");
  EXPECT_THAT(use.experts, testing::ElementsAre("0", "1"));
  EXPECT_NEAR(use.of(0, 0).taken, 0.75 + 0.25, 1e-6);
  EXPECT_NEAR(use.of(1, 0).taken, 0.75, 1e-6);
  EXPECT_NEAR(use.of(1, 1).taken, 0.25, 1e-6);
  EXPECT_NEAR(use.of_all(0).taken, 1.75, 1e-6);
  EXPECT_EQ(use.of(1, 0).right, 0);
}

TEST(ExpertUse, IsOfNetworksWithExpertsAlone) {
  const Sequential model{"net", {2}, {Dense{"dense", 2}}};
  const Weights weights(model);
  const auto compiled = compile_for_inference(model, weights, {.batch = 3});
  EXPECT_TRUE(compiled->expert_shares().empty());
}

}  // namespace
}  // namespace sluice
