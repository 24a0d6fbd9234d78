#include "runtime/network.h"
#include "runtime/network_testing.h"
#include "runtime/reference_network.h"
#include "sluice/error.h"
#include "sluice/evaluation.h"
#include "sluice/lab/verdict.h"
#include "sluice/trainer.h"
#include "tests/scratch.h"
#include "train/fit_testing.h"

namespace sluice {
namespace {

using reference::ReferenceNetwork;
using reference::Values;
using ::testing::HasSubstr;

constexpr int kAnswers = 4;

Sequential answering(const std::string& name, int filters) {
  return {name,
          {},
          {Conv2D{"conv", filters, 3, Activation::linear, 1, Padding::same, false},
           BatchNormalization{"norm"}, ActivationLayer{"relu"}, GlobalAveragePooling2D{"pool"},
           Dense{"dense", kAnswers}}};
}

/// A trunk, a first answer, and experts on the trunk's features.
Sequential cascaded(const Cascade& cascade) {
  return {"cascaded",
          {8, 8, 3},
          {Conv2D{"trunk", 16}, GlobalAveragePooling2D{"mean"}, Dense{"first", kAnswers}, cascade},
          {{"cascade", {"trunk", "first"}}}};
}

Cascade of_two(double training_share = 1) {
  Cascade cascade{"cascade", {answering("a", 16), answering("b", 32)}, {0, 1, 1, 0}};
  cascade.training_share = training_share;
  return cascade;
}

std::span<float> tensor_of(Weights& weights, const std::string& layer, const std::string& kind) {
  for (const Weights::Tensor& tensor : weights.tensors()) {
    if (tensor.layer == layer && tensor.kind == kind) return weights.values(tensor);
  }
  ADD_FAILURE() << layer << "/" << kind;
  return {};
}

/// Weights whose first answers differ, with that threshold.
Weights cascade_weights(const Sequential& model, float threshold) {
  Weights weights(model);
  weights.initialize(1, 2);
  for (float& value : tensor_of(weights, "first", "kernel")) value *= 10;
  std::ranges::fill(tensor_of(weights, "cascade", "thresholds"), threshold);
  return weights;
}

class CascadedExpertsTest : public testing::Test {
 protected:
  static constexpr int kBatch = 40;

  std::span<const float> forward(Network& network, int rows, const RandomKey* key) {
    std::copy_n(images_.begin(), network.input().size() / kBatch * rows, network.input().begin());
    return network.forward(rows, key);
  }
  Values first_images(const Sequential& model, int rows) const {
    return {images_.begin(), images_.begin() + rows * element_count(model.input)};
  }

  onednn::Context context_;
  std::vector<float> images_ = random_images(kBatch * 8 * 8 * 3);
};

TEST_F(CascadedExpertsTest, OutputAndGradientsEqualTheReference) {
  for (const Cascade& cascade :
       {Cascade{"cascade", {answering("a", 16)}}, of_two(), of_two(0.5), of_two(0.05)}) {
    SCOPED_TRACE(testing::Message() << cascade.experts.size() << " " << cascade.training_share);
    const Sequential model = cascaded(cascade);
    const Weights weights = cascade_weights(model, 0.5f);
    ReferenceNetwork reference(model, weights);
    for (const int rows : {kBatch, 17, 1}) {
      Network network(context_, model, weights, {.batch = kBatch});
      const Values expected = reference.forward(first_images(model, rows), rows, true);
      const RandomKey key{};
      EXPECT_LT(relative_error(forward(network, rows, &key), expected), 1e-5);
      const std::vector<float> diff = random_images(expected.size(), 9);
      network.backward(diff, GradientOf::output);
      EXPECT_LT(relative_error(network.gradients(), reference.backward({diff.begin(), diff.end()})),
                1e-4);
    }
  }
}

TEST_F(CascadedExpertsTest, AtInferenceOnlyUnsureImagesGoOn) {
  const Sequential model = cascaded(of_two());
  for (const float threshold : {0.f, 0.7f, 2.f}) {
    SCOPED_TRACE(threshold);
    Weights weights = cascade_weights(model, threshold);
    ReferenceNetwork reference(model, weights);
    const Values expected = reference.forward(first_images(model, kBatch), kBatch);
    for (const bool training : {true, false}) {
      Network network(context_, model, weights, {.batch = kBatch, .training = training});
      EXPECT_LT(relative_error(forward(network, kBatch, nullptr), expected), 1e-5);
    }
    // Images that do not go on are not touched by experts that give no numbers.
    std::ranges::fill(tensor_of(weights, "cascade", "a/dense/bias"), NAN);
    std::ranges::fill(tensor_of(weights, "cascade", "b/dense/bias"), NAN);
    Network network(context_, model, weights, {.batch = kBatch, .training = false});
    const auto output = forward(network, kBatch, nullptr);
    const auto gone_on = std::ranges::count_if(output, [](float v) { return std::isnan(v); });
    EXPECT_EQ(gone_on > 0, threshold > 0);
    EXPECT_EQ(gone_on < kBatch * kAnswers, threshold < 2);
  }
}

/// Without a gradient of the output, the first answer's bias has that of its own loss alone.
TEST_F(CascadedExpertsTest, TheFirstAnswerLearnsByItsOwnLoss) {
  Cascade cascade = of_two(0.5);
  cascade.first_loss = 0.3;
  const Sequential model = cascaded(cascade);
  Weights weights = cascade_weights(model, 1);
  Network network(context_, model, weights, {.batch = kBatch});
  std::vector<int> labels;
  for (int i = 0; i < kBatch; ++i) labels.push_back(i % kAnswers);
  const RandomKey key{};
  const std::vector<float> nothing(kBatch * kAnswers);
  const auto gradient = [&] {
    forward(network, kBatch, &key);
    network.backward(nothing, GradientOf::output);
    const auto bias = tensor_of(weights, "first", "bias");
    const auto at = static_cast<std::size_t>(bias.data() - weights.values().data());
    return std::vector<float>(network.gradients().begin() + at,
                              network.gradients().begin() + at + kAnswers);
  };
  EXPECT_EQ(gradient(), std::vector<float>(kAnswers, 0)) << "no labels, no loss";
  network.set_labels(labels);
  const std::vector<float> found = gradient();
  Sequential first = model;
  first.layers.pop_back();
  first.inputs = {};
  first.layers.push_back(ActivationLayer{"softmax", Activation::softmax});
  Weights of_first(first);
  for (const Weights::Tensor& tensor : of_first.tensors()) {
    std::ranges::copy(tensor_of(weights, tensor.layer, tensor.kind),
                      of_first.values(tensor).begin());
  }
  ReferenceNetwork reference(first, of_first);
  const Values probabilities = reference.forward(first_images(model, kBatch), kBatch);
  for (int c = 0; c < kAnswers; ++c) {
    double expected = 0;
    for (int i = 0; i < kBatch; ++i) {
      expected += 0.3 / kBatch * (probabilities[i * kAnswers + c] - (labels[i] == c ? 1 : 0));
    }
    EXPECT_NEAR(found[c], expected, 1e-6);
  }
}

TEST_F(CascadedExpertsTest, AClassWithoutALogitIsRefused) {
  const Sequential model = cascaded(of_two());
  const Weights weights = cascade_weights(model, 1);
  Network network(context_, model, weights, {.batch = kBatch});
  const std::vector<int> labels{0, 1, kAnswers};
  network.set_labels(labels);
  const RandomKey key{};
  EXPECT_THAT(error_of(Fault::user, [&] { forward(network, 3, &key); }),
              HasSubstr("a cascade has 4 logits, and there is a class 4"));
}

TEST_F(CascadedExpertsTest, CostsItsShareAtUseAndInTraining) {
  Cascade cascade{"cascade", {answering("a", 16)}};
  cascade.share = 0.2;
  cascade.training_share = 0.5;
  const Sequential model = cascaded(cascade);
  Sequential expert = cascade.experts[0];
  expert.input = {8, 8, 16};
  Sequential first = model;
  first.layers.pop_back();
  first.inputs = {};
  const Cost cost = cost_of(model);
  EXPECT_DOUBLE_EQ(cost.active_flops, count_flops(first) + 0.2 * count_flops(expert));
  EXPECT_DOUBLE_EQ(cost.flops, count_flops(first) + 0.5 * count_flops(expert));
  EXPECT_DOUBLE_EQ(cost.training_flops, 3 * cost.flops);
}

TEST_F(CascadedExpertsTest, WhatDoesNotFitIsRefused) {
  const auto refusal = [&](const auto& change) {
    Cascade cascade = of_two();
    change(cascade);
    return error_of(Fault::user, [&] { summarize(cascaded(cascade)); });
  };
  EXPECT_THAT(refusal([](Cascade& c) { c.share = -0.1; }),
              HasSubstr("share must be between 0 and 1, not -0.1"));
  EXPECT_THAT(refusal([](Cascade& c) { c.training_share = 0; }),
              HasSubstr("training_share must be above 0"));
  EXPECT_THAT(refusal([](Cascade& c) { c.training_share = 1.5; }),
              HasSubstr("training_share must be above 0 and at most 1, not 1.5"));
  EXPECT_THAT(refusal([](Cascade& c) { c.first_loss = -1; }), HasSubstr("first_loss"));
  EXPECT_THAT(refusal([](Cascade& c) { c.expert_of_class = {}; }), HasSubstr("each of 4 classes"));
  EXPECT_THAT(refusal([](Cascade& c) { c.expert_of_class[2] = 2; }), HasSubstr("from 0 to 1"));
  EXPECT_THAT(refusal([](Cascade& c) { c.experts[1].name = "a"; }), HasSubstr("called 'a'"));
  EXPECT_THAT(refusal([](Cascade& c) {
                for (Sequential& expert : c.experts) expert.layers.back() = Dense{"dense", 3};
              }),
              HasSubstr("a gives (3), and the first answer (4)"));
}

TEST(SetThresholds, SendOnTheShareOfTheExamples) {
  const LabelledImages images = random_set(200, 1);
  const Examples examples(images, kNames);
  for (const double share : {0., 0.1, 0.5, 1.}) {
    Cascade cascade = of_two();
    cascade.share = share;
    Sequential model = cascaded(cascade);
    Weights weights = cascade_weights(model, 1);
    set_thresholds(model, examples, weights);
    std::ranges::fill(tensor_of(weights, "cascade", "a/dense/bias"), NAN);
    std::ranges::fill(tensor_of(weights, "cascade", "b/dense/bias"), NAN);
    const auto compiled = compile_for_inference(model, weights, {.batch = 200});
    std::vector<float> pixels;
    for (const std::uint8_t p : images.pixels) pixels.push_back(static_cast<float>(p) / 255);
    const auto gone_on = std::ranges::count_if(compiled->predict(pixels, 200),
                                               [](float logit) { return std::isnan(logit); });
    EXPECT_EQ(gone_on, kAnswers * std::lround(share * 200));
  }
  Weights weights = cascade_weights(cascaded(of_two()), 1);
  const LabelledImages none = random_set(0, 1);
  EXPECT_THAT(
      error_of(Fault::user,
               [&] { set_thresholds(cascaded(of_two()), Examples(none, kNames), weights); }),
      HasSubstr("there are 0"));
  const Sequential of_rows{
      "rows",
      {4},
      {Dense{"dense", 3}, Cascade{"cascade", {{"expert", {}, {Dense{"d", 4}}}}}},
      {{"cascade", {"dense", "images"}}}};
  Weights of_row(of_rows);
  const LabelledImages rows = random_set(3, 1, {4});
  EXPECT_THAT(
      error_of(Fault::user, [&] { set_thresholds(of_rows, Examples(rows, kNames), of_row); }),
      HasSubstr("cascade takes the images for its first answer"));
}

}  // namespace
}  // namespace sluice
