#pragma once

#include <vector>

#include "graph/layer_types.h"

namespace sluice {

/// Small models for the tests that every layer type must pass, at least one of each type:
/// LayerCases.HaveEveryType fails where one is forgotten.
inline std::vector<Sequential> layer_cases() {
  const Shape image{6, 5, 3};
  std::vector<Sequential> cases{
      {"model", image, {Conv2D{"conv", 4, 3, Activation::relu}, Flatten{"flatten"}}},
      {"model", image, {Conv2D{"conv", 8, 2, Activation::linear}, Flatten{"flatten"}}},
      {"model", image, {MaxPooling2D{"pool", 2}, Flatten{"flatten"}, Dense{"dense", 3}}},
      {"model", image, {Dropout{"drop", 0.25f}, Flatten{"flatten"}, Dense{"dense", 3}}},
      {"model", {7}, {Dense{"dense", 5, Activation::relu}}},
      {"model", {7}, {Dense{"dense", 5, Activation::softmax}}},
      {"model", {7}, {Dense{"dense", 12}, Reshape{"reshape", {2, 3, 2}}}},
      {"model",
       {7},
       {Dense{"dense", 24}, Reshape{"reshape", {4, 3, 2}}, Conv2D{"conv", 3}, Flatten{"flatten"}}}};
  const auto on_images = [&](const Layer& layer) {
    cases.push_back({"model", image, {Conv2D{"c", 5}, layer, Flatten{"flatten"}}});
  };
  on_images(Conv2D{"conv", 4, {2, 3}, Activation::relu, 2, Padding::same});
  on_images(Conv2D{"conv", 8, 3, Activation::gelu, {1, 2}, Padding::valid, false});
  on_images(DepthwiseConv2D{"conv", 3, Activation::relu, 1, Padding::same});
  on_images(DepthwiseConv2D{"conv", {2, 3}, Activation::linear, 2, Padding::valid, false});
  on_images(MaxPooling2D{"pool", 3, 2, Padding::same});
  on_images(MaxPooling2D{"pool", {2, 3}});
  on_images(AveragePooling2D{"pool", 2});
  on_images(AveragePooling2D{"pool", 3, Size2D(1, 2), Padding::same});
  on_images(BatchNormalization{"norm", 0.9, 1e-2});
  on_images(ZeroPadding2D{"pad", 1, 0, 2, 3});
  on_images(Rescaling{"rescale", 2, -1});
  cases.push_back(
      {"model",
       image,
       {Conv2D{"c", 5, 3, Activation::linear}, LeakyReLU{"leaky", 0.1}, Flatten{"flatten"}}});
  cases.push_back({"model",
                   image,
                   {Conv2D{"c", 5, 3, Activation::linear}, ELU{"elu", 0.5}, Flatten{"flatten"}}});
  on_images(Normalization{"normal", {0.1, 0.2, 0.3, 0.4, 0.5}, {1, 2, 0.5, 0.25, 4}});
  cases.push_back({"model", image, {Conv2D{"c", 16}, GlobalAveragePooling2D{"pool"}}});
  cases.push_back({"model", image, {Conv2D{"c", 5}, GlobalMaxPooling2D{"pool"}, Dense{"d", 3}}});
  for (const bool scale : {false, true}) {
    cases.push_back(
        {"model",
         image,
         {Conv2D{"c", 16, 3, Activation::linear, 1, Padding::same, false},
          BatchNormalization{"norm", 0.99, 1e-3, !scale, scale}, ActivationLayer{"relu"},
          GlobalAveragePooling2D{"pool"}, Dense{"d", 3, Activation::softmax, false}}});
  }
  cases.push_back({"model", {7}, {Dense{"d", 5}, BatchNormalization{"norm"}, Dense{"e", 3}}});
  for (const Activation function : all_activations()) {
    if (function != Activation::softmax) {  // by itself, of images whose channels fill no block
      cases.push_back({"model",
                       image,
                       {Conv2D{"conv", 5, 3, Activation::linear}, ActivationLayer{"act", function},
                        Flatten{"flatten"}}});
    }
    cases.push_back({"model", {7}, {Dense{"dense", 6, function}}});
  }
  // Frozen parts: below and above what is trained, and beside it.
  const Sequential layers{"model",
                          image,
                          {Conv2D{"a", 8}, BatchNormalization{"norm"}, ActivationLayer{"relu"},
                           Conv2D{"b", 8}, MaxPooling2D{"pool"}, Flatten{"flatten"},
                           Dense{"dense", 4, Activation::relu}, Dense{"output", 3}}};
  const std::vector<std::set<std::string>> frozen{
      {"a"},      {"a", "norm", "relu"}, {"norm"},           {"b", "norm", "dense"},
      {"b", "a"}, {"a/kernel", "norm"},  {"a/bias", "norm"}, {"norm/gamma", "output/kernel"}};
  for (const std::set<std::string>& each : frozen) {
    cases.push_back(layers);
    cases.back().frozen = each;
  }
  // Several readers of one value, gradients that meet, and a value that is taken twice.
  for (const Layer& merge : {Layer(Add{"merge"}), Layer(Multiply{"merge"})}) {
    cases.push_back({"model",
                     image,
                     {Conv2D{"a", 8}, Conv2D{"b", 8}, Dropout{"drop", 0.5f}, merge, Flatten{"flat"},
                      Dense{"dense", 3}},
                     {{"b", {"a"}}, {"drop", {"a"}}, {"merge", {"a", "b", "drop"}}}});
    cases.push_back({"model", {5}, {Dense{"a", 4}, merge}, {{"merge", {"a", "a"}}}});
  }
  for (const int filters : {5, 16}) {
    cases.push_back({"model",
                     image,
                     {Conv2D{"a", 16}, Conv2D{"b", filters}, MaxPooling2D{"pool"},
                      MaxPooling2D{"other"}, Concatenate{"merge"}, Flatten{"flat"}},
                     {{"b", {"images"}},
                      {"pool", {"a"}},
                      {"other", {"b"}},
                      {"merge", {"pool", "other", "pool"}}}});
  }
  return cases;
}

/// The same for layers that Keras and ONNX do not have.
inline std::vector<Sequential> routed_cases() {
  const auto mixture = [](int top_k, bool normalize, const std::vector<Layer>& layers) {
    MixtureOfExperts layer{"experts", {}, top_k, normalize, 0.25};
    for (const char* name : {"a", "b", "c"}) layer.experts.push_back({name, {}, layers});
    return layer;
  };
  std::vector<Sequential> cases{
      {"model",
       {7},
       {Dense{"trunk", 8, Activation::relu}, Dense{"gate", 3},
        mixture(2, true, {Dense{"dense", 6, Activation::gelu}, Dense{"out", 4}})},
       {{"experts", {"trunk", "gate"}}}}};
  for (const int channels : {5, 16}) {  // those that fill blocks, and others
    for (const int top_k : {1, 3}) {
      cases.push_back({"model",
                       {6, 5, 3},
                       {Conv2D{"trunk", channels}, GlobalAveragePooling2D{"mean"}, Dense{"gate", 3},
                        mixture(top_k, false,
                                {Conv2D{"conv", 2 * channels}, BatchNormalization{"norm"},
                                 MaxPooling2D{"pool"}}),
                        Flatten{"flatten"}, Dense{"dense", 3}},
                       {{"experts", {"trunk", "gate"}}}});
    }
  }
  for (const std::set<std::string>& frozen :
       {std::set<std::string>{"experts"}, {"trunk", "gate"}, {"experts/b/conv/kernel", "gate"}}) {
    cases.push_back(cases[4]);
    cases.back().frozen = frozen;
  }
  cases.push_back(cases[3]);
  auto& expert = std::get<MixtureOfExperts>(cases.back().layers[3]).experts[1];
  expert.frozen = {"conv"};
  expert.layers[0] = Conv2D{"conv", 32, 5};  // not like the others
  // A temperature, noise that only training has, and biases for the choice.
  for (const int top_k : {1, 2}) {
    for (const bool normalize : {false, true}) {
      cases.push_back(cases.front());
      auto& routed = std::get<MixtureOfExperts>(cases.back().layers[2]);
      routed.top_k = top_k;
      routed.normalize_weights = normalize;
      routed.temperature = normalize ? 3 : 0.5;
      routed.noise = 0.5;
      routed.bias_rate = 0.01;
    }
  }
  // Experts on the images, whose gradient nobody needs.
  cases.push_back({"model",
                   {6, 5, 3},
                   {GlobalAveragePooling2D{"mean"}, Dense{"gate", 3},
                    mixture(1, false, {Conv2D{"conv", 8}, GlobalAveragePooling2D{"pool"}})},
                   {{"experts", {"images", "gate"}}}});
  // Kernels mixed for each image, without bias before a normalisation, and others.
  cases.push_back(
      {"model",
       {6, 5, 3},
       {Conv2D{"a", 4}, CondConv2D{.name = "mixed", .filters = 8, .kernels = 8, .use_bias = false},
        BatchNormalization{"norm"}, ActivationLayer{"gelu", Activation::gelu},
        CondConv2D{"last", 5, 3, {3, 2}, Activation::relu, 2, Padding::valid}, Flatten{"flatten"},
        Dense{"dense", 3}}});
  for (const std::set<std::string>& frozen :
       {std::set<std::string>{"mixed"}, {"a", "mixed/kernel", "last/gate_kernel"}, {"last/bias"}}) {
    cases.push_back(cases.back());
    cases.back().frozen = frozen;
  }
  cases.push_back({"model", {6, 5, 3}, {CondConv2D{"first", 16, 2}, Flatten{"flatten"}}});
  // Cascades: of one expert on the images, and of two on features.
  const std::vector<Layer> wide{Conv2D{"conv", 16}, GlobalAveragePooling2D{"pool"}, Dense{"d", 4}};
  cases.push_back({"model",
                   {6, 5, 3},
                   {Conv2D{"small", 5}, GlobalAveragePooling2D{"mean"}, Dense{"first", 4},
                    Cascade{"cascade", {{"expert", {}, wide}}}},
                   {{"cascade", {"images", "first"}}}});
  cases.push_back(
      {"model",
       {6, 5, 3},
       {Conv2D{"trunk", 8}, GlobalAveragePooling2D{"mean"}, Dense{"first", 4},
        Cascade{"cascade", {{"a", {}, wide}, {"b", {}, wide}}, {0, 1, 1, 0}, 0.5, 0.75, 2}},
       {{"cascade", {"trunk", "first"}}}});
  return cases;
}

}  // namespace sluice
