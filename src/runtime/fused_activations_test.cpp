#include "runtime/network.h"

#include <set>

#include "runtime/network_testing.h"
#include "runtime/reference_network.h"

namespace sluice {
namespace {

using reference::ReferenceNetwork;
using reference::Values;

constexpr int kSome = 5;

/// Activations behind every operation that applies one to its result, with values below 0 and above
/// 6.
Sequential activated() {
  Sequential model{"activated",
                   {8, 8, 3},
                   {Rescaling{"scale", 20},
                    Conv2D{"first", 16, 3, Activation::relu6},
                    Conv2D{"wide", 32, 3, Activation::relu6},
                    DepthwiseConv2D{"depthwise", 3, Activation::relu6},
                    BatchNormalization{"norm"},
                    Rescaling{"more", 6},
                    Conv2D{"conv", 16, 1, Activation::linear, 1, Padding::same, false},
                    BatchNormalization{"norm6"},
                    ActivationLayer{"relu6", Activation::relu6},
                    Conv2D{"left", 16, 3, Activation::linear},
                    Conv2D{"right", 16, 1, Activation::linear},
                    Add{"sum"},
                    ActivationLayer{"relu"},
                    Conv2D{"third", 16, 1, Activation::linear},
                    Add{"sum6"},
                    ActivationLayer{"relu6.sum", Activation::relu6},
                    Dropout{"drop", 0},
                    Conv2D{"fourth", 20, 3, Activation::linear},
                    BatchNormalization{"norm.gelu"},
                    ActivationLayer{"gelu", Activation::gelu},
                    GlobalAveragePooling2D{"mean"},
                    Dense{"output", 5, Activation::softmax}}};
  model.inputs["right"] = {"relu6"};
  model.inputs["sum"] = {"left", "right"};
  model.inputs["sum6"] = {"third", "relu", "relu6"};
  return model;
}

Weights wide_spread(const Sequential& model) {
  Weights weights(model);
  weights.initialize(1, 2);
  for (const Weights::Tensor& tensor : weights.tensors()) {
    if (tensor.kind == "gamma") std::ranges::fill(weights.values(tensor), 4.f);
    if (tensor.kind == "beta") std::ranges::fill(weights.values(tensor), 1.f);
  }
  return weights;
}

TEST(FusedActivations, EqualTheReference) {
  onednn::Context context;
  Sequential model = activated();
  const std::vector<float> images = random_images(kSome * 8 * 8 * 3);
  const std::vector<float> diff = random_images(kSome * 5, 9);
  for (const Compute compute : {Compute::exact, Compute::fast}) {
    SCOPED_TRACE(to_string(compute));
    for (const std::set<std::string>& frozen :
         {std::set<std::string>{}, {"norm", "norm6", "norm.gelu"}}) {
      model.frozen = frozen;
      for (const bool by_batch : {true, false}) {
        SCOPED_TRACE(by_batch ? "of the batch" : "moving figures");
        Weights weights = wide_spread(model);
        ReferenceNetwork reference(model, weights);
        Network network(context, model, weights, {.batch = kSome, .compute = compute});
        const Values expected = reference.forward({images.begin(), images.end()}, kSome, by_batch);
        std::ranges::copy(images, network.input().begin());
        const RandomKey key;
        EXPECT_LT(relative_error(network.forward(kSome, by_batch ? &key : nullptr), expected),
                  1e-5);
        network.backward(diff, GradientOf::output);
        const auto gradients = reference.backward({diff.begin(), diff.end()});
        EXPECT_LT(relative_error(network.gradients(), gradients), 1e-4);
      }
      const Weights weights = wide_spread(model);
      Network network(context, model, weights,
                      {.batch = kSome, .training = false, .compute = compute});
      std::ranges::copy(images, network.input().begin());
      const Values expected =
          ReferenceNetwork(model, weights).forward({images.begin(), images.end()}, kSome);
      EXPECT_LT(relative_error(network.forward(kSome, nullptr), expected), 1e-5);
    }
  }
}

/// A dropout works in place only behind an operation that reads no more than its result's signs.
TEST(FusedActivations, AreNotSpoiltByADropoutInPlace) {
  onednn::Context context;
  Sequential model{"dropped",
                   {8, 8, 3},
                   {Rescaling{"scale", 20}, Conv2D{"conv", 8, 3, Activation::linear},
                    BatchNormalization{"norm"}, ActivationLayer{"relu6", Activation::relu6},
                    Dropout{"drop", 0.5f}, GlobalAveragePooling2D{"mean"}, Dense{"output", 5}}};
  // Behind another layer nothing is fused.
  Sequential apart = model;
  apart.layers.insert(apart.layers.begin() + 3, Rescaling{"apart", 1});
  const std::vector<float> images = random_images(kSome * 8 * 8 * 3);
  const std::vector<float> diff = random_images(kSome * 5, 9);
  const auto gradients_of = [&](const Sequential& of) {
    Weights weights = wide_spread(of);
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
