#include "nn/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/network_testing.h"
#include "nn/reference_network.h"
#include "sluice/error.h"

namespace sluice {
namespace {

using reference::ReferenceNetwork;
using reference::Values;

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

TEST_F(NetworkTest, WithoutTrainingGivesTheSame) {
  model_.layers[1] = Conv2D{"conv2", 64};
  model_.layers.insert(model_.layers.begin() + 1, Conv2D{"wide", 32});
  weights_ = Weights(model_);
  weights_.initialize(1, 2);
  ReferenceNetwork reference(model_, weights_);
  const Values expected = reference.forward({images_.begin(), images_.end()}, kBatch);
  for (const Compute compute : {Compute::exact, Compute::fast}) {
    SCOPED_TRACE(to_string(compute));
    const CompileOptions options{.batch = kBatch, .training = false, .compute = compute};
    Network network(context_, model_, weights_, options);
    EXPECT_TRUE(network.gradients().empty());
    Network other(context_, model_, weights_, options);
    std::copy(images_.begin(), images_.end(), network.input().begin());
    const auto output = network.forward(kBatch, nullptr);
    forward(other, random_images(kBatch * kImage, 2), kBatch);  // in the same memory
    EXPECT_LT(relative_error(output, expected), 1e-5);
  }
}

TEST_F(NetworkTest, ProfileTellsAlgorithmsAndWorkByLayer) {
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
  const RandomKey key{1, 2, 3, 4};
  const RandomKey other_part{1, 2, 4, 4};
  const auto first = outputs(&key);
  EXPECT_NE(outputs(nullptr), first);
  EXPECT_NE(outputs(&other_part), first);
  EXPECT_EQ(outputs(&key), first);
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
            "[model] m: p: a pool of 4 does not fit into (2, 2, 3): use larger images");
  EXPECT_EQ(message({"m", {6}, {Reshape{"r", {4, 2}}}}),
            "[model] m: r: (6) cannot become (4, 2): the sizes' products differ");
  EXPECT_EQ(message({"m", {6}, {}}), "[model] m has no layers: add one");
}

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
  Weights other(model);
  other.initialize(5, 2);
  EXPECT_NE(other.values()[0], weights.values()[0]);
}

}  // namespace
}  // namespace sluice
