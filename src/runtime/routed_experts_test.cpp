#include <fmt/format.h>

#include <functional>

#include "graph/layer_types.h"
#include "graph/weights.h"
#include "runtime/gating.h"
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

MixtureOfExperts& mixture_of(Sequential& model) {
  return std::get<MixtureOfExperts>(
      *std::ranges::find_if(model.layers, [](const Layer& layer) { return is_mixture(layer); }));
}

std::span<float> values_in(Weights& weights, const std::string& layer, const std::string& kind) {
  return weights.values(tensor_of(std::as_const(weights), layer, kind));
}

std::vector<float> copied(std::span<const float> values) {
  return {values.begin(), values.end()};
}

/// How many images of the last pass each expert took.
std::vector<int> images_by_expert(const Network& network) {
  const ExpertShares layer = network.expert_shares().front();
  std::vector<int> counts(layer.experts.size());
  for (std::size_t i = 0; i < layer.shares.size(); ++i) {
    counts[i % counts.size()] += layer.shares[i] == 1;
  }
  return counts;
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

  /// Compares a training pass of `rows` images and its gradients with the reference. Calls
  /// after_pass() between the two.
  void expect_reference(
      const Sequential& model, Network& network, const Weights& weights, int rows,
      const std::function<void()>& after_pass = [] {}) {
    SCOPED_TRACE(rows);
    const std::vector<float> images = random_images(rows * element_count(model.input), rows);
    std::copy(images.begin(), images.end(), network.input().begin());
    ReferenceNetwork reference(model, weights);
    const Values expected = reference.forward({images.begin(), images.end()}, rows, true);
    const RandomKey key{};
    EXPECT_LT(relative_error(network.forward(rows, &key), expected), 1e-5);
    after_pass();
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

TEST_F(RoutedExpertsTest, SoTheyDoWithATemperatureAndSelectionBiases) {
  for (const int top_k : {1, 2}) {
    for (const bool normalize_weights : {false, true}) {
      SCOPED_TRACE(testing::Message() << top_k << " " << normalize_weights);
      Sequential model = routed_network(top_k, normalize_weights, 0.3);
      mixture_of(model).temperature = 0.7;
      mixture_of(model).bias_rate = 0.01;
      Weights weights = weights_of(model);
      const std::vector<float> bias{0.5f, -0.25f, -0.125f};
      const std::span<float> selection_bias = values_in(weights, "experts", "selection_bias");
      std::ranges::copy(bias, selection_bias.begin());
      Network network(context_, model, weights, {.batch = kBatch});
      for (const int rows : {kBatch, 17}) {
        std::ranges::copy(bias, selection_bias.begin());  // the pass before moved it
        expect_reference(model, network, weights, rows,
                         [&] { EXPECT_NE(copied(selection_bias), bias) << "training moves it"; });
      }
    }
  }
}

TEST_F(RoutedExpertsTest, FrozenSelectionBiasesStay) {
  for (const auto& [frozen, moves] : {std::pair<std::string, bool>{"experts", false},
                                      {"experts/selection_bias", false},
                                      {"experts/a/conv/kernel", true}}) {
    SCOPED_TRACE(frozen);
    Sequential model = routed_network(1, false, 0);
    mixture_of(model).bias_rate = 0.1;
    model.frozen = {frozen};
    Weights weights = weights_of(model);
    Network network(context_, model, weights, {.batch = kBatch});
    const RandomKey key{};
    network.forward(kBatch, &key);
    const std::span<float> bias = values_in(weights, "experts", "selection_bias");
    EXPECT_EQ(std::ranges::any_of(bias, [](float each) { return each != 0; }), moves);
  }
}

TEST_F(RoutedExpertsTest, ExpertsThatABiasChoseHaveNormalizedWeightsHoweverUnlikely) {
  Sequential model = routed_network(1, true, 0);
  mixture_of(model).bias_rate = 0.1;
  mixture_of(model).temperature = 1e-3;
  Weights weights = weights_of(model);
  values_in(weights, "experts", "selection_bias")[1] = 1000;
  Network network(context_, model, weights, {.batch = kBatch});
  std::ranges::copy(random_images(kBatch * element_count(model.input)), network.input().begin());
  const RandomKey key{};
  const auto output = network.forward(kBatch, &key);
  EXPECT_EQ(images_by_expert(network), (std::vector<int>{0, kBatch, 0}));
  network.backward(random_images(output.size(), 9), GradientOf::output);
  EXPECT_EQ(network.first_not_finite(), "");
  for (const float each : network.gradients()) EXPECT_TRUE(std::isfinite(each));
}

/// The gate's logits are the last three numbers of an image.
Sequential given_logits(double noise) {
  MixtureOfExperts mixture{"experts", {}, 2, true, 0.3};
  mixture.temperature = 0.8;
  mixture.noise = noise;
  for (const char* name : {"a", "b", "c"}) {
    mixture.experts.push_back(expert(name, {Dense{"hidden", 8, Activation::tanh}}));
  }
  return {"given",
          {6},
          {Dense{"values", 5}, Dense{"gate", 3}, mixture, Dense{"output", kOutputs}},
          {{"gate", {"images"}}, {"experts", {"values", "gate"}}}};
}

Weights weights_with_given_logits(const Sequential& model) {
  Weights weights(model);
  weights.initialize(1, 2);
  const std::span<float> gate = values_in(weights, "gate", "kernel");
  std::ranges::fill(gate, 0.f);
  for (int e = 0; e < 3; ++e) gate[(3 + e) * 3 + e] = 1;
  std::ranges::fill(values_in(weights, "values", "kernel").subspan(3 * 5), 0.f);
  return weights;
}

/// A batch moves each bias by the rate, towards equal numbers of images. The choice follows it, and
/// the weights do not.
TEST_F(RoutedExpertsTest, SelectionBiasesBalanceTheExperts) {
  constexpr float kRate = 0x1p-6f;
  Sequential model = given_logits(0);
  mixture_of(model).top_k = 1;
  mixture_of(model).bias_rate = kRate;
  Weights weights = weights_with_given_logits(model);
  values_in(weights, "gate", "bias")[0] = 0.5f;
  const std::span<float> bias = values_in(weights, "experts", "selection_bias");
  EXPECT_THAT(bias, testing::Each(0));
  Network network(context_, model, weights, {.batch = kBatch});
  Network inference(context_, model, weights, {.batch = kBatch, .training = false});
  const std::vector<float> images = random_images(kBatch * element_count(model.input));
  const auto counts_of = [&](Network& of, const RandomKey* key) {
    std::ranges::copy(images, of.input().begin());
    of.forward(kBatch, key);
    return images_by_expert(of);
  };
  const RandomKey key{};
  std::vector<int> counts;
  for (int step = 0; step < 200; ++step) {
    const std::vector<float> before = copied(bias);
    counts = counts_of(network, &key);
    for (std::size_t e = 0; e < counts.size(); ++e) {
      const float sign = 3 * counts[e] < kBatch ? 1 : -1;
      EXPECT_EQ(bias[e], before[e] + sign * kRate);
    }
    if (step == 0) {
      EXPECT_GT(std::ranges::max(counts) - std::ranges::min(counts), 15);
    }
  }
  EXPECT_LE(std::ranges::max(counts) - std::ranges::min(counts), 6);
  const std::vector<float> trained = copied(bias);
  const std::vector<int> with_bias = counts_of(inference, nullptr);
  counts_of(network, nullptr);
  EXPECT_EQ(copied(bias), trained) << "inference leaves it";
  std::ranges::fill(bias, 0.f);
  EXPECT_NE(counts_of(inference, nullptr), with_bias);
}

/// Noise is a constant that the logits have in addition.
TEST_F(RoutedExpertsTest, NoiseIsAddedToTheLogitsOfTraining) {
  constexpr float kNoise = 2;
  const Sequential noisy = given_logits(kNoise);
  const Sequential plain = given_logits(0);
  const Weights weights = weights_with_given_logits(noisy);
  Network network(context_, noisy, weights, {.batch = kBatch});
  Network expected(context_, plain, weights, {.batch = kBatch});
  const std::vector<float> images = random_images(kBatch * 6, 3);
  const std::vector<float> diff = random_images(kBatch * kOutputs, 9);
  const RandomKey key{.seed = 5, .stage = 2, .part = 1, .step = 7, .first_row = 100};
  const auto run = [&](Network& of, std::span<const float> input, const RandomKey* with) {
    std::ranges::copy(input, of.input().begin());
    return copied(of.forward(kBatch, with));
  };
  const std::vector<float> output = run(network, images, &key);
  network.backward(diff, GradientOf::output);
  // The stream of stage 2 and part 1: see stream_of() in network.cpp.
  const RandomStream random(5, Purpose::gate_noise, 2 << 16 | 1 << 8, 7);
  std::vector<float> shifted = images;
  for (int row = 0; row < kBatch; ++row) {
    add_noise(random, 100 + row, kNoise, std::span(shifted).subspan(row * 6 + 3, 3));
  }
  EXPECT_LT(relative_error(output, run(expected, shifted, &key)), 1e-6);
  expected.backward(diff, GradientOf::output);
  for (const Weights::Tensor& tensor : weights.tensors()) {
    if (tensor.kind == "kernel" && (tensor.layer == "gate" || tensor.layer == "values")) {
      continue;  // it sees other images
    }
    SCOPED_TRACE(tensor.layer + "/" + tensor.kind);
    const auto of_tensor = [&](Network& of) {
      return of.gradients().subspan(tensor.offset, tensor.size);
    };
    EXPECT_LT(relative_error(of_tensor(network), of_tensor(expected)), 1e-5);
  }
  const std::vector<float> without = run(expected, images, nullptr);
  EXPECT_EQ(run(network, images, nullptr), without) << "inference has none";
  EXPECT_GT(relative_error(output, without), 0.1);
  for (RandomKey other : {RandomKey{.seed = 6, .stage = 2, .part = 1, .step = 7, .first_row = 100},
                          RandomKey{.seed = 5, .stage = 3, .part = 1, .step = 7, .first_row = 100},
                          RandomKey{.seed = 5, .stage = 2, .part = 1, .step = 8, .first_row = 100},
                          RandomKey{.seed = 5, .stage = 2, .part = 1, .step = 7}}) {
    EXPECT_GT(relative_error(run(network, images, &other), output), 0.1);
  }
}

TEST_F(RoutedExpertsTest, LayersHaveNoiseOfTheirOwn) {
  Sequential model = given_logits(2);
  MixtureOfExperts second = mixture_of(model);
  second.name = "more";
  model.layers.insert(model.layers.begin() + 3, second);
  model.inputs["more"] = {"values", "gate"};
  model.layers.insert(model.layers.begin() + 4, Concatenate{"both"});
  model.inputs["both"] = {"experts", "more"};
  const Weights weights = weights_with_given_logits(model);
  Network network(context_, model, weights, {.batch = kBatch});
  std::ranges::copy(random_images(kBatch * 6, 3), network.input().begin());
  const auto same = [&](const RandomKey* key) {
    network.forward(kBatch, key);
    const std::vector<ExpertShares> layers = network.expert_shares();
    return layers[0].shares == layers[1].shares;
  };
  const RandomKey key{};
  EXPECT_TRUE(same(nullptr));
  EXPECT_FALSE(same(&key));
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
  constexpr double kTemperature = 0.5;
  const std::vector<int> expert_of_class{2, 0, 0, 1};
  Sequential model = routed_network(1, true, 0);
  auto& mixture = std::get<MixtureOfExperts>(model.layers[4]);
  mixture.gate_loss = kGateLoss;
  mixture.temperature = kTemperature;
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
  gate.layers.push_back(Rescaling{"divided", 1 / kTemperature});
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
      expected[e] += kGateLoss * (p[3 * row + e] - right) / kTemperature / kRows;
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
  for (const double temperature : {0., -1., 1e7}) {
    EXPECT_THAT(error_with([&](Mixture& layer, auto&) { layer.temperature = temperature; }),
                HasSubstr(fmt::format("experts: temperature must be from 1e-06 to 1e+06, not {}",
                                      temperature)));
  }
  EXPECT_THAT(error_with([](Mixture& layer, auto&) { layer.noise = -0.5; }),
              HasSubstr("experts: noise must be from 0 to 1e+06, not -0.5"));
  EXPECT_THAT(error_with([](Mixture& layer, auto&) { layer.bias_rate = -0.1; }),
              HasSubstr("experts: bias_rate must be from 0 to 1e+06, not -0.1"));
  EXPECT_THAT(error_with([](Mixture& layer, auto&) { layer.bias_rate = NAN; }),
              HasSubstr("experts: bias_rate must be a finite number, not nan"));
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
