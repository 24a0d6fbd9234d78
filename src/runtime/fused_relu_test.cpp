#include "runtime/network.h"
#include "runtime/network_testing.h"
#include "runtime/reference_network.h"

namespace sluice {
namespace {

using reference::ReferenceNetwork;
using reference::Values;

constexpr int kSome = 5;

/// ReLUs behind every operation that applies one to its result, with values below 0 and above 6.
Sequential rectified() {
  Sequential model{
      "rectified",
      {8, 8, 3},
      {Rescaling{"scale", 20}, Conv2D{"first", 16, 3, Activation::relu6},
       Conv2D{"wide", 32, 3, Activation::relu6}, DepthwiseConv2D{"depthwise", 3, Activation::relu6},
       BatchNormalization{"norm"}, Rescaling{"more", 6},
       Conv2D{"conv", 16, 1, Activation::linear, 1, Padding::same, false},
       BatchNormalization{"norm6"}, ActivationLayer{"relu6", Activation::relu6},
       Conv2D{"left", 16, 3, Activation::linear}, Conv2D{"right", 16, 1, Activation::linear},
       Add{"sum"}, ActivationLayer{"relu"}, Conv2D{"third", 16, 1, Activation::linear}, Add{"sum6"},
       ActivationLayer{"relu6.sum", Activation::relu6}, Dropout{"drop", 0.5f},
       GlobalAveragePooling2D{"mean"}, Dense{"output", 5, Activation::softmax}}};
  model.inputs["right"] = {"relu6"};
  model.inputs["sum"] = {"left", "right"};
  model.inputs["sum6"] = {"third", "relu", "relu6"};
  return model;
}

TEST(FusedRelu, EqualsTheReference) {
  onednn::Context context;
  const Sequential model = rectified();
  Weights weights(model);
  weights.initialize(1, 2);
  for (const Weights::Tensor& tensor : weights.tensors()) {
    if (tensor.kind == "gamma") std::ranges::fill(weights.values(tensor), 4.f);
    if (tensor.kind == "beta") std::ranges::fill(weights.values(tensor), 1.f);
  }
  const std::vector<float> images = random_images(kSome * 8 * 8 * 3);
  const std::vector<float> diff = random_images(kSome * 5, 9);
  for (const Compute compute : {Compute::exact, Compute::fast}) {
    SCOPED_TRACE(to_string(compute));
    for (const bool training : {true, false}) {
      SCOPED_TRACE(training ? "training" : "inference");
      Network network(context, model, weights,
                      {.batch = kSome, .training = training, .compute = compute});
      ReferenceNetwork reference(model, weights);
      const Values expected = reference.forward({images.begin(), images.end()}, kSome);
      std::ranges::copy(images, network.input().begin());
      EXPECT_LT(relative_error(network.forward(kSome, nullptr), expected), 1e-5);
      if (!training) continue;
      network.backward(diff, GradientOf::output);
      const auto gradients = reference.backward({diff.begin(), diff.end()});
      EXPECT_LT(relative_error(network.gradients(), gradients), 1e-4);
    }
  }
}

/// A dropout works in place only behind an operation that reads no more than its result's signs.
TEST(FusedRelu, IsNotSpoiltByADropoutInPlace) {
  onednn::Context context;
  Sequential model{"dropped",
                   {8, 8, 3},
                   {Rescaling{"scale", 20}, Conv2D{"conv", 8, 3, Activation::linear},
                    BatchNormalization{"norm"}, ActivationLayer{"relu6", Activation::relu6},
                    Dropout{"drop", 0.5f}, GlobalAveragePooling2D{"mean"}, Dense{"output", 5}}};
  Weights weights(model);
  weights.initialize(1, 2);
  for (const Weights::Tensor& tensor : weights.tensors()) {
    if (tensor.kind == "gamma") std::ranges::fill(weights.values(tensor), 4.f);
  }
  const std::vector<float> images = random_images(kSome * 8 * 8 * 3);
  const std::vector<float> diff = random_images(kSome * 5, 9);
  // With relu6 alone in front of the same dropout, nothing is fused.
  Sequential apart = model;
  apart.layers.insert(apart.layers.begin() + 3, Rescaling{"apart", 1});
  const auto gradients_of = [&](const Sequential& of) {
    Network network(context, of, weights, {.batch = kSome});
    std::ranges::copy(images, network.input().begin());
    const RandomKey key{1, 2, 3, 4};
    network.forward(kSome, &key);
    network.backward(diff, GradientOf::output);
    return std::vector<float>(network.gradients().begin(), network.gradients().end());
  };
  EXPECT_LT(relative_error(gradients_of(model), gradients_of(apart)), 1e-6);
}

}  // namespace
}  // namespace sluice
