#include "runtime/network.h"

#include <fmt/ranges.h>

#include <cmath>
#include <limits>
#include <set>

#include "runtime/network_testing.h"
#include "runtime/reference_network.h"
#include "sluice/error.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using reference::ReferenceNetwork;
using reference::Values;
using ::testing::HasSubstr;
using ::testing::Not;

Sequential small_network() {
  return {"small",
          {8, 8, 3},
          {Conv2D{"conv1", 8}, Conv2D{"conv2", 16}, MaxPooling2D{"pool"}, Dropout{"drop", 0.25f},
           Flatten{"flatten"}, Dense{"dense", 12, Activation::relu},
           Dense{"output", 5, Activation::softmax}}};
}

class NetworkTest : public testing::Test {
 protected:
  static constexpr int kBatch = 7;
  static constexpr std::size_t kImage = 8 * 8 * 3;

  NetworkTest() : weights_(model_) { weights_.initialize(1, 2); }

  Values forward(Network& network, const std::vector<float>& images, int count) {
    std::copy(images.begin(), images.end(), network.input().begin());
    const auto output = network.forward(count, nullptr);
    return {output.begin(), output.end()};
  }

  Sequential model_ = small_network();
  Weights weights_;
  onednn::Context context_;
  std::vector<float> images_ = random_images(kBatch * kImage);
};

TEST_F(NetworkTest, OutputAndGradientsEqualTheReference) {
  for (const Compute compute : {Compute::exact, Compute::fast}) {
    SCOPED_TRACE(to_string(compute));
    Network network(context_, model_, weights_, {.batch = kBatch, .compute = compute});
    ReferenceNetwork reference(model_, weights_);
    const Values expected = reference.forward({images_.begin(), images_.end()}, kBatch);
    EXPECT_LT(relative_error(forward(network, images_, kBatch), expected), 1e-5);

    const std::vector<float> diff = random_images(kBatch * 5, 9);
    network.backward(diff, GradientOf::output);
    EXPECT_LT(relative_error(network.gradients(), reference.backward({diff.begin(), diff.end()})),
              1e-4);
  }
}

/// oneDNN's reference kernels are hundreds of times slower.
TEST_F(NetworkTest, NoNumberOfFiltersNeedsAReferenceKernel) {
  const std::vector<std::vector<int>> all{{6, 16, 6}, {8, 8, 24}, {16, 10, 32}, {24, 4, 40, 9}};
  for (const std::vector<int>& filters : all) {
    SCOPED_TRACE(fmt::to_string(fmt::join(filters, " ")));
    model_.layers = {};
    for (const int count : filters) {
      model_.layers.emplace_back(Conv2D{"conv" + std::to_string(model_.layers.size()), count});
    }
    model_.layers.emplace_back(Flatten{"flatten"});
    model_.layers.emplace_back(Dense{"output", 5, Activation::softmax});
    weights_ = Weights(model_);
    weights_.initialize(1, 2);
    ReferenceNetwork reference(model_, weights_);
    const Values expected = reference.forward({images_.begin(), images_.end()}, kBatch);
    const std::vector<float> diff = random_images(kBatch * 5, 9);
    const auto gradients = reference.backward({diff.begin(), diff.end()});
    for (const bool training : {true, false}) {
      Network network(context_, model_, weights_, {.batch = kBatch, .training = training});
      network.start_profile();
      EXPECT_LT(relative_error(forward(network, images_, kBatch), expected), 1e-5);
      if (training) {
        network.backward(diff, GradientOf::output);
        EXPECT_LT(relative_error(network.gradients(), gradients), 1e-4);
      }
      for (const LayerProfile& layer : network.profile()) {
        EXPECT_THAT(layer.algorithm, Not(HasSubstr("ref"))) << layer.layer;
      }
    }
  }
}

TEST_F(NetworkTest, WithoutTrainingGivesTheSame) {
  model_.layers[1] = Conv2D{"conv2", 64};
  model_.layers.insert(model_.layers.begin() + 1, Conv2D{"wide", 32});
  weights_ = Weights(model_);
  weights_.initialize(1, 2);
  ReferenceNetwork reference(model_, weights_);
  const Values expected = reference.forward({images_.begin(), images_.end()}, kBatch);
  for (const Compute compute : {Compute::exact, Compute::fast}) {
    SCOPED_TRACE(to_string(compute));
    const NetworkOptions options{.batch = kBatch, .training = false, .compute = compute};
    Network network(context_, model_, weights_, options);
    EXPECT_TRUE(network.gradients().empty());
    Network other(context_, model_, weights_, options);
    std::copy(images_.begin(), images_.end(), network.input().begin());
    const auto output = network.forward(kBatch, nullptr);
    forward(other, random_images(kBatch * kImage, 2), kBatch);  // in the same memory
    EXPECT_LT(relative_error(output, expected), 1e-5);
  }
}

TEST_F(NetworkTest, InferenceFoldsBatchNormalization) {
  const auto normalization = [](const std::string& name, bool scale) {
    return BatchNormalization{name, 0.99, 1e-3, true, scale};
  };
  model_.layers = {Conv2D{"conv1", 16, 3, Activation::linear},
                   normalization("norm1", true),
                   ActivationLayer{"relu"},
                   DepthwiseConv2D{"depthwise", 3},
                   normalization("norm2", true),
                   Conv2D{"conv2", 16, 3, Activation::linear},
                   MaxPooling2D{"pool1"},
                   normalization("norm3", false),
                   Conv2D{"conv3", 16, 3, Activation::linear},
                   MaxPooling2D{"pool2"},
                   normalization("norm4", true),  // with gammas below 0
                   Flatten{"flatten"},
                   Dense{"dense", 12},
                   normalization("norm5", true),
                   Dense{"output", 5, Activation::softmax}};
  weights_ = Weights(model_);
  weights_.initialize(1, 2);
  for (const Weights::Tensor& tensor : weights_.tensors()) {
    if (!tensor.layer.starts_with("norm")) continue;
    const std::span<float> values = weights_.values(tensor);
    const auto random = random_images(values.size(), static_cast<std::uint32_t>(tensor.offset));
    const bool variance = tensor.kind == "moving_variance";
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = variance ? random[i] + 0.5f : random[i] - 0.5f;
    }
  }
  ReferenceNetwork reference(model_, weights_);
  const Values expected = reference.forward({images_.begin(), images_.end()}, kBatch);
  for (const Compute compute : {Compute::exact, Compute::fast}) {
    SCOPED_TRACE(to_string(compute));
    Network network(context_, model_, weights_,
                    {.batch = kBatch, .training = false, .compute = compute});
    network.start_profile();
    EXPECT_LT(relative_error(forward(network, images_, kBatch), expected), 1e-5);
    for (const LayerProfile& layer : network.profile()) {
      if (!layer.layer.starts_with("norm")) continue;
      EXPECT_EQ(layer.forward_seconds > 0, layer.layer == "norm4") << layer.layer;
    }
  }
}

TEST_F(NetworkTest, ProfileTellsAlgorithmsAndWorkByLayer) {
  model_.layers[0] = Conv2D{"conv1", 16};  // fills blocks on every processor
  model_.layers[1] = Conv2D{"conv2", 64};
  model_.layers.insert(model_.layers.begin() + 1, Conv2D{"wide", 32});
  weights_ = Weights(model_);
  for (const Compute compute : {Compute::exact, Compute::fast}) {
    // Batches of 3 and 7 are rounded up; what is counted are images.
    Network network(context_, model_, weights_, {.batch = 20, .compute = compute});
    forward(network, images_, kBatch);
    EXPECT_TRUE(network.profile().empty());
    network.start_profile();
    forward(network, images_, 3);
    forward(network, images_, kBatch);
    network.backward(random_images(kBatch * 5, 9), GradientOf::output);
    const std::vector<LayerProfile> profile = network.profile();
    ASSERT_EQ(profile.size(), model_.layers.size());
    const LayerProfile& first = profile.front();
    const LayerProfile& conv = profile[2];
    EXPECT_EQ(conv.layer, "conv2");
    EXPECT_EQ(conv.flops, 2.0 * 8 * 8 * 3 * 3 * 32 * 64);
    EXPECT_EQ(conv.forward_images, 3 + kBatch);
    EXPECT_EQ(conv.backward_images, kBatch);
    EXPECT_EQ(conv.operations(), conv.flops * (3 + kBatch + 2 * kBatch));
    EXPECT_EQ(first.data_seconds, 0) << "nothing before it learns";
    EXPECT_EQ(first.operations(), first.flops * (3 + kBatch + kBatch));
    const bool winograd = on_this_processor(compute) == Compute::fast;
    EXPECT_EQ(conv.algorithm.starts_with("winograd"), winograd) << conv.algorithm;
    EXPECT_TRUE(first.algorithm.starts_with("direct")) << first.algorithm;
  }
}

TEST_F(NetworkTest, GradientOfLogitsSkipsTheSoftmax) {
  Network network(context_, model_, weights_, {kBatch});
  auto linear = model_;
  std::get<Dense>(linear.layers.back()).activation = Activation::linear;
  ReferenceNetwork reference(linear, weights_);
  const Values logits = reference.forward({images_.begin(), images_.end()}, kBatch);
  forward(network, images_, kBatch);
  EXPECT_TRUE(network.ends_in_softmax());
  EXPECT_LT(relative_error(network.logits(), logits), 1e-5);

  const std::vector<float> diff = random_images(kBatch * 5, 9);
  network.backward(diff, GradientOf::logits);
  EXPECT_LT(relative_error(network.gradients(), reference.backward({diff.begin(), diff.end()})),
            1e-4);
}

/// Of a training pass: a frozen normalisation uses its moving statistics, and keeps them.
TEST_F(NetworkTest, FrozenPartsGiveNoGradientsAndKeepTheirState) {
  model_.layers = {Conv2D{"first", 32, 3, Activation::linear},
                   BatchNormalization{"norm"},
                   ActivationLayer{"relu"},
                   Conv2D{"wide", 64},
                   MaxPooling2D{"pool"},
                   BatchNormalization{"other"},
                   GlobalAveragePooling2D{"mean"},
                   Dense{"dense", 12, Activation::relu},
                   Dense{"output", 5, Activation::softmax}};
  const std::vector<float> diff = random_images(kBatch * 5, 9);
  for (const std::set<std::string>& frozen : {std::set<std::string>{},
                                              {"first"},
                                              {"norm", "wide"},
                                              {"first", "norm", "dense"},
                                              {"first/kernel", "norm", "wide/bias", "other/gamma"},
                                              {"wide/kernel", "other", "output"}}) {
    model_.frozen = frozen;
    SCOPED_TRACE(fmt::format("{}", fmt::join(frozen, ", ")));
    for (const Compute compute : {Compute::exact, Compute::fast}) {
      weights_ = Weights(model_);
      weights_.initialize(1, 2);
      for (const Weights::Tensor& tensor : weights_.tensors()) {
        if (tensor.kind == "moving_mean") std::ranges::fill(weights_.values(tensor), 0.2f);
        if (tensor.kind == "moving_variance") std::ranges::fill(weights_.values(tensor), 0.7f);
      }
      const Weights before = weights_;
      Network network(context_, model_, weights_, {.batch = kBatch, .compute = compute});
      ReferenceNetwork reference(model_, weights_);
      const Values expected = reference.forward({images_.begin(), images_.end()}, kBatch, true);
      std::ranges::copy(images_, network.input().begin());
      const RandomKey key;
      EXPECT_LT(relative_error(network.forward(kBatch, &key), expected), 1e-5);
      network.start_profile();
      network.backward(diff, GradientOf::output);
      EXPECT_EQ(network.gradients().size(), weights_.trained().size());
      EXPECT_LT(relative_error(network.gradients(), reference.backward({diff.begin(), diff.end()})),
                1e-4);
      for (const Weights::Tensor& tensor : weights_.tensors()) {
        const bool moves = tensor.kind.starts_with("moving_") && !frozen.contains(tensor.layer);
        EXPECT_EQ(std::ranges::equal(weights_.values(tensor), before.values(tensor)), !moves)
            << tensor.layer << " " << tensor.kind;
      }
      for (const LayerProfile& layer : network.profile()) {
        if (layer.flops == 0) continue;
        EXPECT_EQ(layer.weights_seconds > 0, !frozen.contains(layer.layer));
      }
      if (!frozen.contains("first")) continue;
      const std::size_t lowest = frozen.contains("norm") ? 3 : 1;
      for (std::size_t i = 0; i <= lowest; ++i) {
        EXPECT_EQ(network.profile()[i].data_seconds, 0) << "nothing before it is trained";
      }
    }
  }
}

TEST_F(NetworkTest, EveryBatchSizeGivesWhatItsImagesAloneGive) {
  constexpr int kLarge = 19;  // sizes are rounded up to 1, 4, 7, 10, 13, 16 or 19
  const std::vector<float> images = random_images(kLarge * kImage);
  const std::vector<float> diff = random_images(kLarge * 5, 9);
  Network network(context_, model_, weights_, {kLarge});
  forward(network, images, kLarge);  // leaves old images in the padding
  for (int count = 1; count <= kLarge; ++count) {
    const std::vector<float> part(images.begin(), images.begin() + count * kImage);
    ReferenceNetwork reference(model_, weights_);
    const Values expected = reference.forward({part.begin(), part.end()}, count);
    EXPECT_LT(relative_error(forward(network, part, count), expected), 1e-5) << count;
    network.backward(std::span(diff).first(count * 5), GradientOf::output);
    const auto gradients = reference.backward({diff.begin(), diff.begin() + count * 5});
    EXPECT_LT(relative_error(network.gradients(), gradients), 1e-4) << count;
  }
}

TEST_F(NetworkTest, EveryPassReadsTheWeightsAsTheyAre) {
  for (const Compute compute : {Compute::exact, Compute::fast}) {
    Network network(context_, model_, weights_, {.batch = kBatch, .compute = compute});
    for (const std::uint32_t stream : {1, 2}) {
      weights_.initialize(7, stream);
      const Values expected =
          ReferenceNetwork(model_, weights_).forward({images_.begin(), images_.end()}, kBatch);
      EXPECT_LT(relative_error(forward(network, images_, kBatch), expected), 1e-5);
    }
  }
}

TEST_F(NetworkTest, TellsTheFirstLayerThatIsNotFinite) {
  // Batches of 6, 7 and 8 are computed as 8.
  Network network(context_, model_, weights_, {.batch = 20});
  const auto bias = [&](std::size_t tensor) -> float& {
    return weights_.values(weights_.tensors()[tensor])[0];
  };
  EXPECT_EQ(network.first_not_finite(), "");
  std::vector<float> eight = random_images(8 * kImage);
  std::fill(eight.end() - kImage, eight.end(), std::numeric_limits<float>::max());
  forward(network, eight, 8);
  EXPECT_EQ(network.first_not_finite(), "small's conv1") << "its results are not";
  forward(network, images_, kBatch);
  EXPECT_EQ(network.first_not_finite(), "") << "padding does not count";
  bias(5) = INFINITY;  // of the first dense layer
  EXPECT_EQ(network.first_not_finite(), "small's dense") << "its weights are not";
  bias(3) = NAN;
  EXPECT_EQ(network.first_not_finite(), "small's conv2");
}

TEST_F(NetworkTest, TrainingStepsMakeNothing) {
  Network network(context_, model_, weights_, {kBatch});
  const std::size_t made = context_.steps_made();
  EXPECT_GT(made, 0u);
  const std::vector<float> diff = random_images(kBatch * 5, 9);
  for (int count = 1; count <= kBatch; ++count) {
    const RandomKey key{1, 2, 3, 4};
    network.forward(count, &key);
    network.backward(std::span(diff).first(count * 5), GradientOf::logits);
  }
  EXPECT_EQ(context_.steps_made(), made);
}

TEST_F(NetworkTest, DropoutDependsOnItsKeyAlone) {
  Network network(context_, model_, weights_, {kBatch});
  std::copy(images_.begin(), images_.end(), network.input().begin());
  const auto outputs = [&](const RandomKey* key) {
    const auto output = network.forward(kBatch, key);
    return std::vector<float>(output.begin(), output.end());
  };
  const auto without = outputs(nullptr);
  const RandomKey key{1, 2, 3, 4};
  const auto first = outputs(&key);
  EXPECT_NE(without, first);
  EXPECT_EQ(outputs(nullptr), without);
  EXPECT_EQ(outputs(&key), first);
  // Stage and part in turn: many groups have many parts, and each group a stage.
  std::set<std::vector<float>> all{first};
  const std::vector<RandomKey> others{{2, 2, 3, 4},
                                      {1, 3, 3, 4},
                                      {1, 2, 4, 4},
                                      {1, 2, 3, 5},
                                      {1, 2, 259, 4},
                                      {1, 3, 259, 4},
                                      {1, 2 + (1 << 16), 3, 4}};
  for (const RandomKey& other : others) {
    EXPECT_TRUE(all.insert(outputs(&other)).second)
        << "seed " << other.seed << ", stage " << other.stage << ", part " << other.part;
  }
}

TEST_F(NetworkTest, ADividedBatchHasTheMasksOfTheWhole) {
  Network network(context_, model_, weights_, {kBatch});
  const auto outputs = [&](int first, int count) {
    std::copy_n(images_.begin() + first * kImage, count * kImage, network.input().begin());
    const RandomKey key{1, 2, 3, 4, first};
    const auto output = network.forward(count, &key);
    return std::vector<float>(output.begin(), output.end());
  };
  std::vector<float> parts = outputs(0, 3);
  for (const float value : outputs(3, kBatch - 3)) parts.push_back(value);
  EXPECT_LT(relative_error(parts, outputs(0, kBatch)), 1e-6);
}

TEST_F(NetworkTest, MoreDropoutsThanAPartHasNumbersForAreRefused) {
  model_ = {"deep", {8}, {}};
  for (int i = 0; i < 256; ++i) model_.layers.push_back(Dropout{std::to_string(i), 0.1f});
  model_.layers.push_back(Dense{"output", 2});
  Weights weights(model_);
  EXPECT_NO_THROW(compile(model_, weights, {}));
  model_.layers.insert(model_.layers.begin(), Dropout{"another", 0.1f});
  EXPECT_THAT(error_of(Fault::user, [&] { compile(model_, weights, {}); }),
              HasSubstr("more than 256 in one model"));
}

TEST_F(NetworkTest, WhatIsAskedInTheWrongSizeOrOrderIsRefused) {
  const auto said = [](const auto& call) { return error_of(Fault::user, call); };
  const auto compiled = compile(model_, weights_, {.batch = 4});
  const std::span<const float> images = images_;
  EXPECT_THAT(said([&] { compiled->predict(images.first(5 * kImage), 5); }),
              HasSubstr("5 images for a model compiled for 1 to 4"));
  EXPECT_THAT(said([&] { compiled->predict({}, 0); }), HasSubstr("0 images for a model"));
  EXPECT_THAT(said([&] { compiled->predict({}, -1); }), HasSubstr("-1 images for a model"));
  EXPECT_THAT(said([&] { compiled->predict(images.first(kImage), 2); }),
              HasSubstr("192 values for 2 images of (8, 8, 3): give 384"));
  EXPECT_THAT(said([&] { compiled->forward(images.first(3 * kImage), 2, {}); }),
              HasSubstr("576 values for 2 images"));
  const std::vector<float> gradient(2 * 5);
  EXPECT_THAT(said([&] { compiled->backward(gradient, GradientOf::output); }),
              HasSubstr("there is no pass that a gradient could belong to"));
  EXPECT_THAT(said([&] { compiled->logits(); }), HasSubstr("no logits before predict()"));
  compiled->forward(images.first(2 * kImage), 2, {});
  EXPECT_THAT(said([&] { compiled->backward(std::span(gradient).first(5), GradientOf::output); }),
              HasSubstr("a gradient of 5 values for 2 images with 5 outputs: give 10"));
  compiled->backward(gradient, GradientOf::logits);

  const auto inference = compile_for_inference(model_, weights_, {.batch = 4});
  inference->predict(images.first(2 * kImage), 2);
  EXPECT_THAT(said([&] { inference->backward(gradient, GradientOf::output); }),
              HasSubstr("on a model compiled for training"));

  std::get<Dense>(model_.layers.back()).activation = Activation::linear;
  const auto linear = compile(model_, weights_, {.batch = 4});
  linear->forward(images.first(2 * kImage), 2, {});
  EXPECT_THAT(said([&] { linear->logits(); }), HasSubstr("does not end in a softmax"));
  EXPECT_THAT(said([&] { linear->backward(gradient, GradientOf::logits); }),
              HasSubstr("the model has no logits"));
}

TEST_F(NetworkTest, WhatCannotBeCompiledIsRefused) {
  for (const int batch : {0, -1, std::numeric_limits<int>::max()}) {
    EXPECT_THAT(error_of(Fault::user, [&] { compile(model_, weights_, {.batch = batch}); }),
                HasSubstr(fmt::format("a batch of {}: must be from 1", batch)));
  }
  const Sequential idle{"idle", {6}, {Reshape{"r", {2, 3}}}};
  Weights none(idle);
  EXPECT_THAT(error_of(Fault::user, [&] { compile(idle, none, {}); }),
              HasSubstr("idle: its layers compute nothing"));
  Sequential other = model_;
  std::get<Dense>(other.layers.back()).units = 6;
  Weights others(other);
  EXPECT_THAT(error_of(Fault::user, [&] { compile(model_, others, {}); }),
              HasSubstr("small: the weights are not those of its layers"));
}

TEST(Compile, RefusesLayersThatDoNotFit) {
  const auto message = [](Sequential model) -> std::string {
    try {
      Weights weights(model);
      compile(model, weights, {4});
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(message({"m", {8, 8, 3}, {Dense{"d", 4}}}),
            "[model] m: d: takes one axis, not (8, 8, 3): put a Flatten before it");
  EXPECT_EQ(message({"m", {8}, {Conv2D{"c", 4}}}),
            "[model] m: c: takes (height, width, channels), not (8)");
  EXPECT_EQ(message({"m", {2, 2, 3}, {MaxPooling2D{"p", 4}}}),
            "[model] m: p: a window of 4x4 does not fit into (2, 2, 3): use larger images");
  EXPECT_EQ(message({"m", {6}, {Reshape{"r", {4, 2}}}}),
            "[model] m: r: (6) cannot become (4, 2): the sizes' products differ");
  EXPECT_EQ(message({"m", {6}, {}}), "[model] m has no layers: add one");
}

}  // namespace
}  // namespace sluice
