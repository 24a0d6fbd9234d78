#include "graph/unrouted.h"

#include <gmock/gmock.h>

#include "graph/layer_types.h"
#include "graph/thresholds.h"
#include "graph/weights.h"
#include "runtime/network_testing.h"
#include "sluice/network.h"

namespace sluice {
namespace {

constexpr int kImageCount = 60;
constexpr int kClassCount = 4;

Sequential network_of(const std::string& name, std::vector<Layer> layers) {
  return {name, {}, std::move(layers)};
}

/// Weights whose gates and first answers differ from image to image.
Weights decided_weights(const Sequential& model) {
  Weights weights(model);
  weights.initialize(3, 4);
  for (const Weights::Tensor& tensor : weights.tensors()) {
    if (tensor.layer != "gate" || tensor.kind != "kernel") continue;
    for (float& value : weights.values(tensor)) value *= 20;
  }
  return weights;
}

void expect_same_predictions(const Sequential& model, const Weights& weights) {
  const auto [plain, plain_weights] = unrouted(model, weights);
  EXPECT_TRUE(std::ranges::none_of(plain.layers, is_mixture));
  const std::vector<float> images = random_images(kImageCount * element_count(model.input), 5);
  const auto routed = compile_for_inference(model, weights, {.batch = kImageCount});
  const auto dense = compile_for_inference(plain, plain_weights, {.batch = kImageCount});
  const std::span<const float> expected = routed->predict(images, kImageCount);
  const std::vector<double> before(expected.begin(), expected.end());
  EXPECT_LT(relative_error(dense->predict(images, kImageCount), before), 1e-5);
}

TEST(Unrouted, MixturesOfExpertsGiveTheSame) {
  for (const int top_k : {1, 2, 3}) {
    for (const bool normalize : {false, true}) {
      SCOPED_TRACE(top_k);
      MixtureOfExperts mixture{"experts", {}, top_k, normalize};
      for (const char* name : {"a", "b", "c"}) {
        mixture.experts.push_back(network_of(
            name, {Conv2D{"conv", 6, 3}, BatchNormalization{"norm"}, ActivationLayer{"relu"}}));
      }
      const Sequential model{
          "net",
          {6, 6, 3},
          {Conv2D{"trunk", 5, 3}, GlobalAveragePooling2D{"mean"}, Dense{"gate", 3}, mixture,
           GlobalAveragePooling2D{"all"}, Dense{"output", kClassCount}},
          {{"mean", {"trunk"}}, {"experts", {"trunk", "gate"}}}};
      expect_same_predictions(model, decided_weights(model));
    }
  }
}

/// Biases choose experts whose probability is 0, too.
TEST(Unrouted, MixturesWithATemperatureAndSelectionBiasesGiveTheSame) {
  for (const int top_k : {1, 2, 3}) {
    for (const bool normalize : {false, true}) {
      for (const double temperature : {0.01, 0.5, 1e6}) {
        SCOPED_TRACE(testing::Message() << top_k << " " << normalize << " " << temperature);
        MixtureOfExperts mixture{"experts", {}, top_k, normalize};
        mixture.temperature = temperature;
        mixture.noise = 1;
        mixture.bias_rate = 0.1;
        for (const char* name : {"a", "b", "c"}) {
          mixture.experts.push_back(network_of(name, {Dense{"dense", kClassCount}}));
        }
        const Sequential model{
            "net", {6}, {Dense{"gate", 3}, mixture}, {{"experts", {"images", "gate"}}}};
        Weights weights = decided_weights(model);
        expect_same_predictions(model, weights);
        const auto bias = weights.values(tensor_of(weights, "experts", "selection_bias"));
        std::ranges::copy(std::vector<float>{2.5F, -1.25F, 0.3F}, bias.begin());
        expect_same_predictions(model, weights);
      }
    }
  }
}

TEST(Unrouted, CascadesGiveTheSame) {
  for (const bool several : {false, true}) {
    for (const double share : {0., 0.3, 0.6, 1.}) {
      SCOPED_TRACE(share);
      Cascade cascade{"cascade", {}, {}, share};
      for (const char* name : {"a", "b"}) {
        if (cascade.experts.empty() || several) {
          cascade.experts.push_back(network_of(
              name, {Conv2D{"conv", 8, 3}, GlobalMaxPooling2D{"pool"}, Dense{"d", kClassCount}}));
        }
      }
      if (several) cascade.expert_of_class = {1, 0, 1, 1};
      const Sequential model{
          "net",
          {6, 6, 3},
          {Conv2D{"small", 5, 3}, GlobalAveragePooling2D{"mean"}, Dense{"gate", kClassCount},
           cascade, ActivationLayer{"softmax", Activation::softmax}},
          {{"cascade", {"images", "gate"}}}};
      Weights weights = decided_weights(model);
      std::ranges::copy(thresholds_of({.3F, .4F, .5F, .6F, .7F, .8F, .9F}),
                        thresholds_in(weights, "cascade").begin());
      expect_same_predictions(model, weights);
    }
  }
}

Sequential mixed_kernels() {
  return {
      "net",
      {6, 6, 3},
      {Conv2D{"conv", 5, 3}, CondConv2D{"gate", 6, 4, {3, 2}, Activation::relu, 2, Padding::valid},
       CondConv2D{"mixed", 8, 1}, GlobalMaxPooling2D{"all"}, Dense{"output", kClassCount}}};
}

TEST(Unrouted, MixedKernelsGiveTheSame) {
  const Sequential model = mixed_kernels();
  Weights weights = decided_weights(model);
  for (const char* layer : {"gate", "mixed"}) {
    for (const char* kind : {"gate_bias", "bias"}) {
      float value = 0;
      for (float& each : weights.values(tensor_of(weights, layer, kind))) each = value += 0.25F;
    }
  }
  for (float& each : weights.values(tensor_of(weights, "gate", "gate_kernel"))) each *= 20;
  expect_same_predictions(model, weights);
}

TEST(Unrouted, MixedKernelsStayFrozen) {
  Sequential model = mixed_kernels();
  model.frozen = {"gate/kernel", "mixed", "gate/gate_bias"};
  std::set<std::string> frozen = unrouted(model, Weights(model)).first.frozen;
  std::erase_if(frozen, [](const std::string& name) {
    return name.find(".weight") != std::string::npos || name.find(".share") != std::string::npos;
  });
  EXPECT_THAT(frozen, testing::UnorderedElementsAre(
                          "gate.kernel1/kernel", "gate.kernel2/kernel", "gate.kernel3/kernel",
                          "gate.kernel4/kernel", "gate.gate/bias", "mixed.gate", "mixed.kernel1"));
}

TEST(Unrouted, KeepsWhatIsFrozen) {
  MixtureOfExperts mixture{"experts", {}, 1};
  for (const char* name : {"a", "b"}) {
    mixture.experts.push_back(network_of(name, {Dense{"one", 3}, Dense{"two", 2}}));
  }
  mixture.experts[1].frozen = {"two"};
  Sequential model{
      "net", {4}, {Dense{"trunk", 4}, Dense{"gate", 2}, mixture}, {{"experts", {"trunk", "gate"}}}};
  const auto frozen = [&](const std::set<std::string>& names) {
    model.frozen = names;
    std::set<std::string> now = unrouted(model, Weights(model)).first.frozen;
    std::erase_if(now, [](const std::string& name) {
      return name.starts_with("experts.") && !name.starts_with("experts.a.") &&
             !name.starts_with("experts.b.");  // the kernels that choose
    });
    return now;
  };
  using testing::UnorderedElementsAre;
  EXPECT_THAT(frozen({"trunk"}), UnorderedElementsAre("trunk", "experts.b.two"));
  EXPECT_THAT(frozen({"experts/a/one/kernel"}),
              UnorderedElementsAre("experts.a.one/kernel", "experts.b.two"));
  EXPECT_THAT(frozen({"experts/a/two/kernel", "experts/a/two/bias"}),
              UnorderedElementsAre("experts.a.two/kernel", "experts.a.two/bias", "experts.b.two"));
  EXPECT_EQ(frozen({"experts"}).size(), 4);
}

TEST(Unrouted, LeavesOtherNetworksAsTheyAre) {
  const Sequential model{"net", {4}, {Dense{"dense", 3}}};
  EXPECT_EQ(unrouted(model, Weights(model)).first.layers.size(), 1);
}

}  // namespace
}  // namespace sluice
