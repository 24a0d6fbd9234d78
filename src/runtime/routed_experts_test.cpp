#include "runtime/network.h"
#include "runtime/network_testing.h"
#include "runtime/reference_network.h"
#include "sluice/error.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using reference::ReferenceNetwork;
using reference::Values;
using ::testing::HasSubstr;

constexpr int kOutputs = 4;

Sequential expert(const std::string& name, std::vector<Layer> layers) {
  return {name, {}, std::move(layers)};
}

/// A trunk, a gate on its pooled features, and experts of convolutions.
Sequential routed_network(int top_k, bool normalize_weights, double balance_loss) {
  MixtureOfExperts mixture{"experts", {}, top_k, normalize_weights, balance_loss};
  for (const char* name : {"a", "b", "c"}) {
    mixture.experts.push_back(
        expert(name, {Conv2D{"conv", 32, 3, Activation::linear, 1, Padding::same, false},
                      BatchNormalization{"norm"}, ActivationLayer{"relu"}, MaxPooling2D{"pool"}}));
  }
  return {"routed",
          {8, 8, 3},
          {Conv2D{"trunk", 16, 3, Activation::linear}, BatchNormalization{"norm"},
           GlobalAveragePooling2D{"mean"}, Dense{"gate", 3}, mixture, GlobalAveragePooling2D{"all"},
           Dense{"output", kOutputs}},
          {{"mean", {"norm"}}, {"experts", {"norm", "gate"}}}};
}

/// Weights whose gate sends images to all experts.
Weights weights_of(const Sequential& model) {
  Weights weights(model);
  weights.initialize(1, 2);
  for (const Weights::Tensor& tensor : weights.tensors()) {
    if (tensor.layer != "gate" || tensor.kind != "kernel") continue;
    for (float& value : weights.values(tensor)) value *= 20;
  }
  return weights;
}

class RoutedExpertsTest : public testing::Test {
 protected:
  static constexpr int kBatch = 40;

  /// Compares a training pass of `rows` images and its gradients with the reference.
  void expect_reference(const Sequential& model, Network& network, const Weights& weights,
                        int rows) {
    SCOPED_TRACE(rows);
    const std::vector<float> images = random_images(rows * element_count(model.input), rows);
    std::copy(images.begin(), images.end(), network.input().begin());
    ReferenceNetwork reference(model, weights);
    const Values expected = reference.forward({images.begin(), images.end()}, rows, true);
    const RandomKey key{};
    EXPECT_LT(relative_error(network.forward(rows, &key), expected), 1e-5);
    const std::vector<float> diff = random_images(expected.size(), 9);
    network.backward(diff, GradientOf::output);
    EXPECT_LT(relative_error(network.gradients(), reference.backward({diff.begin(), diff.end()})),
              1e-4);
  }

  onednn::Context context_;
};

TEST_F(RoutedExpertsTest, OutputAndGradientsEqualTheReference) {
  struct Case {
    int top_k;
    bool normalize_weights;
    Compute compute;
  };
  for (const auto& [top_k, normalize_weights, compute] :
       {Case{1, false, Compute::fast}, Case{1, true, Compute::exact}, Case{2, true, Compute::fast},
        Case{3, false, Compute::exact}}) {
    SCOPED_TRACE(testing::Message() << top_k << " " << normalize_weights);
    const Sequential model = routed_network(top_k, normalize_weights, 0.3);
    const Weights weights = weights_of(model);
    Network network(context_, model, weights, {.batch = kBatch, .compute = compute});
    for (const int rows : {kBatch, 17, 2}) expect_reference(model, network, weights, rows);
  }
}

TEST_F(RoutedExpertsTest, OnlyChosenExpertsChangeAnything) {
  const Sequential model = routed_network(1, false, 0);
  Weights weights = weights_of(model);
  for (const Weights::Tensor& tensor : weights.tensors()) {
    // Every image goes to b.
    if (tensor.layer == "gate" && tensor.kind == "kernel") {
      std::ranges::fill(weights.values(tensor), 0.f);
    } else if (tensor.layer == "gate") {
      weights.values(tensor)[1] = 1;
    }
  }
  const Weights before = weights;
  Network network(context_, model, weights, {.batch = kBatch});
  const std::vector<float> images = random_images(kBatch * element_count(model.input));
  std::ranges::copy(images, network.input().begin());
  std::ranges::fill(network.gradients(), NAN);
  const RandomKey key{};
  const std::vector<float> diff = random_images(network.forward(kBatch, &key).size(), 9);
  network.backward(diff, GradientOf::output);
  for (const Weights::Tensor& tensor : weights.tensors()) {
    if (tensor.layer != "experts") continue;
    SCOPED_TRACE(tensor.kind);
    const bool chosen = tensor.kind.starts_with("b/");
    if (tensor.trained) {
      const auto gradient = network.gradients().subspan(tensor.offset, tensor.size);
      const bool is_zero = std::ranges::all_of(gradient, [](float value) { return value == 0; });
      EXPECT_EQ(is_zero, !chosen);
    } else {
      EXPECT_EQ(std::ranges::equal(weights.values(tensor), before.values(tensor)), !chosen);
    }
  }
}

/// All experts of a soft mixture, written with layers that compute every expert for every image.
TEST_F(RoutedExpertsTest, AllExpertsEqualTheDenseForm) {
  constexpr int kUnits = 5;
  MixtureOfExperts mixture{"experts", {}, 2};
  for (const char* name : {"a", "b"}) {
    mixture.experts.push_back(
        expert(name, {Dense{"hidden", 8, Activation::gelu}, Dense{"out", kUnits}}));
  }
  const Sequential routed{"routed",
                          {6},
                          {Dense{"trunk", 7, Activation::tanh}, Dense{"gate", 2}, mixture},
                          {{"experts", {"trunk", "gate"}}}};
  const Sequential dense{
      "dense",
      {6},
      {Dense{"trunk", 7, Activation::tanh}, Dense{"gate", 2},
       ActivationLayer{"p", Activation::softmax}, Dense{"pa", kUnits, Activation::linear, false},
       Dense{"pb", kUnits, Activation::linear, false}, Dense{"ha", 8, Activation::gelu},
       Dense{"a", kUnits}, Dense{"hb", 8, Activation::gelu}, Dense{"b", kUnits}, Multiply{"ma"},
       Multiply{"mb"}, Add{"sum"}},
      {{"pa", {"p"}},
       {"pb", {"p"}},
       {"ha", {"trunk"}},
       {"hb", {"trunk"}},
       {"ma", {"a", "pa"}},
       {"mb", {"b", "pb"}},
       {"sum", {"ma", "mb"}}},
      {"pa", "pb"}};
  Weights of_routed = weights_of(routed);
  Weights of_dense(dense);
  const auto values_of = [](Weights& weights, const std::string& layer, const std::string& kind) {
    for (const Weights::Tensor& tensor : weights.tensors()) {
      if (tensor.layer == layer && tensor.kind == kind) return weights.values(tensor);
    }
    ADD_FAILURE() << layer << "/" << kind;
    return std::span<float>();
  };
  const std::vector<std::array<std::string, 4>> pairs{
      {"trunk", "", "trunk", ""},         {"gate", "", "gate", ""},
      {"experts", "a/hidden/", "ha", ""}, {"experts", "a/out/", "a", ""},
      {"experts", "b/hidden/", "hb", ""}, {"experts", "b/out/", "b", ""}};
  for (const auto& [layer, prefix, dense_layer, unused] : pairs) {
    for (const char* kind : {"kernel", "bias"}) {
      std::ranges::copy(values_of(of_routed, layer, prefix + kind),
                        values_of(of_dense, dense_layer, kind).begin());
    }
  }
  for (int unit = 0; unit < kUnits; ++unit) {
    values_of(of_dense, "pa", "kernel")[unit] = 1;
    values_of(of_dense, "pb", "kernel")[kUnits + unit] = 1;
  }
  Network network(context_, routed, of_routed, {.batch = kBatch});
  Network other(context_, dense, of_dense, {.batch = kBatch});
  const std::vector<float> images = random_images(kBatch * 6);
  std::ranges::copy(images, network.input().begin());
  std::ranges::copy(images, other.input().begin());
  const auto output = network.forward(kBatch, nullptr);
  EXPECT_LT(relative_error(output, other.forward(kBatch, nullptr)), 1e-5);
  const std::vector<float> diff = random_images(output.size(), 9);
  network.backward(diff, GradientOf::output);
  other.backward(diff, GradientOf::output);
  const auto gradient_of = [&](Weights& weights, Network& net, const std::string& layer,
                               const std::string& kind) {
    return net.gradients().subspan(values_of(weights, layer, kind).data() - weights.values().data(),
                                   values_of(weights, layer, kind).size());
  };
  for (const auto& [layer, prefix, dense_layer, unused] : pairs) {
    for (const char* kind : {"kernel", "bias"}) {
      SCOPED_TRACE(dense_layer + "/" + kind);
      EXPECT_LT(relative_error(gradient_of(of_routed, network, layer, prefix + kind),
                               gradient_of(of_dense, other, dense_layer, kind)),
                1e-4);
    }
  }
}

/// Without a gradient of the output, the gate's bias has that of its own losses alone.
TEST_F(RoutedExpertsTest, TheGateLearnsTheExpertsOfTheClasses) {
  constexpr double kGateLoss = 0.3;
  const std::vector<int> expert_of_class{2, 0, 0, 1};
  Sequential model = routed_network(1, true, 0);
  auto& mixture = std::get<MixtureOfExperts>(model.layers[4]);
  mixture.gate_loss = kGateLoss;
  mixture.expert_of_class = expert_of_class;
  const Weights weights = weights_of(model);
  Network network(context_, model, weights, {.batch = kBatch});
  constexpr int kRows = 17;
  const std::vector<float> images = random_images(kRows * element_count(model.input));
  std::vector<int> labels;
  for (int row = 0; row < kRows; ++row) labels.push_back(row * row % kOutputs);
  const auto bias_gradient = [&](std::span<const int> of_images) {
    std::ranges::copy(images, network.input().begin());
    network.set_labels(of_images);
    const RandomKey key{};
    const std::vector<float> nothing(network.forward(kRows, &key).size());
    network.backward(nothing, GradientOf::output);
    for (const Weights::Tensor& tensor : weights.tensors()) {
      if (tensor.layer != "gate" || tensor.kind != "bias") continue;
      const auto gradient = network.gradients().subspan(tensor.offset, tensor.size);
      return std::vector<float>(gradient.begin(), gradient.end());
    }
    return std::vector<float>();
  };
  Sequential gate = model;
  gate.layers.resize(4);
  gate.layers.push_back(ActivationLayer{"softmax", Activation::softmax});
  gate.inputs.erase("experts");
  Weights of_gate(gate);
  for (const Weights::Tensor& tensor : of_gate.tensors()) {
    const auto found = std::ranges::find_if(weights.tensors(), [&](const auto& each) {
      return each.layer == tensor.layer && each.kind == tensor.kind;
    });
    std::ranges::copy(weights.values(*found), of_gate.values(tensor).begin());
  }
  const Values p =
      ReferenceNetwork(gate, of_gate).forward({images.begin(), images.end()}, kRows, true);
  std::vector<double> expected(3);
  for (int row = 0; row < kRows; ++row) {
    for (int e = 0; e < 3; ++e) {
      const double right = expert_of_class[labels[row]] == e ? 1 : 0;
      expected[e] += kGateLoss * (p[3 * row + e] - right) / kRows;
    }
  }
  EXPECT_LT(relative_error(bias_gradient(labels), expected), 1e-4);
  EXPECT_THAT(bias_gradient({}), testing::Each(0)) << "labels are those of one pass";
  EXPECT_THAT(error_of(Fault::user, [&] { bias_gradient(std::span(labels).first(3)); }),
              HasSubstr("3 labels for 17 images"));
  labels[3] = 4;
  EXPECT_THAT(error_of(Fault::user, [&] { bias_gradient(labels); }),
              HasSubstr("expert_of_class has 4 numbers, and there is a class 4"));
}

TEST_F(RoutedExpertsTest, InferenceGivesTheSame) {
  const Sequential model = routed_network(2, true, 0);
  const Weights weights = weights_of(model);
  Network training(context_, model, weights, {.batch = kBatch});
  Network inference(context_, model, weights, {.batch = kBatch, .training = false});
  const std::vector<float> images = random_images(kBatch * element_count(model.input));
  for (Network* each : {&training, &inference}) {
    std::ranges::copy(images, each->input().begin());
  }
  for (const int rows : {kBatch, 1, 13}) {
    const auto expected = training.forward(rows, nullptr);
    EXPECT_LT(relative_error(inference.forward(rows, nullptr), expected), 1e-5) << rows;
  }
}

TEST_F(RoutedExpertsTest, WhatDoesNotFitIsRefused) {
  const auto error_with = [](const auto& change) {
    Sequential model = routed_network(1, false, 0);
    change(std::get<MixtureOfExperts>(model.layers[4]), model);
    return error_of(Fault::user, [&] { summarize(model); });
  };
  using Mixture = MixtureOfExperts;
  EXPECT_THAT(error_with([](Mixture& layer, auto&) { layer.top_k = 4; }),
              HasSubstr("experts: top_k must be at most 3, the number of experts, not 4"));
  EXPECT_THAT(error_with([](Mixture& layer, auto&) { layer.experts.resize(1); }),
              HasSubstr("must have from 2 to 256 experts, not 1"));
  EXPECT_THAT(error_with([](Mixture& layer, auto&) { layer.experts.pop_back(); }),
              HasSubstr("has 2 experts, whose gate needs as many outputs, not (3)"));
  EXPECT_THAT(error_with([](Mixture& layer, auto&) { layer.experts[2].name = "a"; }),
              HasSubstr("two experts are called 'a'"));
  EXPECT_THAT(error_with([](Mixture& layer, auto&) { layer.experts[1].layers.pop_back(); }),
              HasSubstr("a gives (4, 4, 32) and b gives (8, 8, 32)"));
  EXPECT_THAT(error_with([](Mixture& layer, auto&) { layer.balance_loss = -1; }),
              HasSubstr("balance_loss and gate_loss must be at least 0, not -1 and 0"));
  EXPECT_THAT(error_with([](Mixture& layer, auto&) {
                std::get<Conv2D>(layer.experts[0].layers[0]).filters = 0;
              }),
              HasSubstr("experts: a: conv: filters must be from 1"));
  EXPECT_THAT(error_with([](Mixture& layer, auto&) { layer.experts[0].layers = {layer}; }),
              HasSubstr("has a mixture of its own"));
  EXPECT_THAT(error_with([](Mixture&, auto& model) { model.inputs["experts"] = {"gate"}; }),
              HasSubstr("takes two inputs, values and the logits of its gate, not 1"));
  EXPECT_THAT(error_with([](Mixture& layer, auto&) { layer.gate_loss = 1; }),
              HasSubstr("gate_loss needs expert_of_class"));
  EXPECT_THAT(error_with([](Mixture& layer, auto&) {
                layer.expert_of_class = {0, 3};
              }),
              HasSubstr("expert_of_class must have numbers from 0 to 2, not 3"));
}

}  // namespace
}  // namespace sluice
