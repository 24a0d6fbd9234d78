#include "formats/import/probabilities.h"

#include <cmath>

#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

SavedModel with_end(std::vector<Layer> end) {
  Sequential model{"m", {2, 2, 3}, {Flatten{"flatten"}}};
  model.layers.insert(model.layers.end(), end.begin(), end.end());
  SavedModel saved{model, Weights(model), {}};
  saved.weights.initialize(3, 1);
  return saved;
}

std::vector<float> outputs(const SavedModel& saved) {
  std::vector<float> image;
  for (int i = 0; i < 12; ++i) image.push_back(0.1f * static_cast<float>(i));
  const auto compiled = compile_for_inference(saved.model, saved.weights, {.batch = 1});
  const auto found = compiled->predict(image, 1);
  return {found.begin(), found.end()};
}

TEST(Probabilities, LogitsGetASoftmax) {
  const Dense dense{"d", 3, Activation::linear};
  for (const std::vector<Layer>& end : {std::vector<Layer>{dense},
                                        {dense, ActivationLayer{"a", Activation::linear}},
                                        {dense, Dropout{"drop", 0.5f}, BatchNormalization{"norm"}},
                                        {dense, Reshape{"r", {1, 3}}}}) {
    SavedModel saved = with_end(end);
    const std::vector<float> logits = outputs(saved);
    std::string said;
    give_probabilities(saved, "f", [&](const std::string& line) { said += line; });
    EXPECT_EQ(said, "f: its outputs are logits: a softmax is added");
    const std::vector<float> found = outputs(saved);
    ASSERT_EQ(found.size(), 3u);
    float sum = 0;
    for (const float logit : logits) sum += std::exp(logit);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(found[i], std::exp(logits[i]) / sum, 1e-6);
    EXPECT_EQ(output_meaning(saved.model), OutputMeaning::probabilities);
  }
}

TEST(Probabilities, OneSigmoidIsTwoClasses) {
  for (const std::vector<Layer>& end :
       {std::vector<Layer>{Dense{"d", 1, Activation::sigmoid}},
        {Dense{"d", 1}, ActivationLayer{"two_classes", Activation::sigmoid}}}) {
    SavedModel saved = with_end(end);
    const float second = outputs(saved)[0];
    give_probabilities(saved, "f", {});
    const std::vector<float> found = outputs(saved);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_NEAR(found[0], 1 - second, 1e-6);
    EXPECT_NEAR(found[1], second, 1e-6);
  }
  SavedModel logit = with_end({Dense{"d", 1}});
  const float value = outputs(logit)[0];
  std::string said;
  give_probabilities(logit, "f", [&](const std::string& line) { said += line; });
  EXPECT_NEAR(outputs(logit)[1], 1 / (1 + std::exp(-value)), 1e-6);
  EXPECT_THAT(said, HasSubstr("taken for a logit of two classes"));
}

TEST(Probabilities, WhatTheyAreAlready) {
  std::string said;
  const auto say = [&](const std::string& line) { said += line; };
  for (const std::vector<Layer>& end :
       {std::vector<Layer>{Dense{"d", 3, Activation::softmax}},
        {Dense{"d", 6, Activation::softmax}, Reshape{"pairs", {3, 2}}},
        {Dense{"d", 6}, Reshape{"pairs", {3, 2}}}}) {
    SavedModel saved = with_end(end);
    give_probabilities(saved, "f", say);
    EXPECT_EQ(saved.model.layers.size(), 1 + end.size());
  }
  EXPECT_EQ(said, "");
  SavedModel sigmoids = with_end({Dense{"d", 3, Activation::sigmoid}});
  give_probabilities(sigmoids, "f", say);
  EXPECT_THAT(said, HasSubstr("a sigmoid by itself"));
}

TEST(Probabilities, WhatCannotBeThem) {
  const auto refused = [](std::vector<Layer> end) {
    return error_of(Fault::user, [&] {
      SavedModel saved = with_end(std::move(end));
      give_probabilities(saved, "f", {});
    });
  };
  EXPECT_EQ(
      refused({Dense{"d", 3, Activation::relu}}),
      "[model] f: its output is that of layer 'd' (relu), which gives neither probabilities nor "
      "logits: end it with a softmax");
  EXPECT_THAT(refused({Dense{"d", 3}, LeakyReLU{"l"}}), HasSubstr("layer 'l' (LeakyReLU)"));
  EXPECT_THAT(refused({Dense{"d", 1, Activation::softmax}}), HasSubstr("which is always 1"));
}

}  // namespace
}  // namespace sluice
