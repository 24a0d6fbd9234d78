#include <gmock/gmock.h>

#include <cmath>

#include "graph/layer_types.h"
#include "sluice/evaluation.h"
#include "sluice/trainer.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

/// An image of one pixel x; logits x * (-kernel, +kernel).
Sequential of_one_value(bool own_softmax) {
  Sequential model{"net", {1}};
  model.layers = {Dense{"dense", 2, own_softmax ? Activation::linear : Activation::softmax, false}};
  if (own_softmax) model.layers.emplace_back(ActivationLayer{"softmax", Activation::softmax});
  return model;
}

/// Of 100 images with the value 1, so many are of the second class.
LabelledImages ones(int second) {
  LabelledImages images{{1}, std::vector<std::uint8_t>(100, 255), std::vector<int>(100, 0)};
  std::fill_n(images.labels.begin(), second, 1);
  return images;
}

TEST(Calibrate, GivesTheProbabilitiesThatTheExamplesHave) {
  for (const bool own_softmax : {false, true}) {
    Sequential model = of_one_value(own_softmax);
    Weights weights(model);
    std::ranges::copy(std::vector<float>{-2.5F, 2.5F}, weights.values().begin());
    const LabelledImages images = ones(80);
    const std::vector<std::string> classes{"first", "second"};
    const Examples examples(images, classes);
    calibrate(model, weights, examples);
    const auto compiled = compile_for_inference(model, weights, {.batch = 1});
    // 80% of the images that look so are of the second class: log(.8 / .2) in place of 5.
    EXPECT_NEAR(compiled->predict(std::vector<float>{1}, 1)[1], .8, 1e-4);
    EXPECT_NEAR(compiled->predict(std::vector<float>{0.5F}, 1)[1], 2. / 3, 1e-4);
    ASSERT_EQ(model.layers.size(), 3);
    EXPECT_EQ(name_of(model.layers[1]), "inverse_temperature");
    EXPECT_NEAR(std::get<Rescaling>(model.layers[1]).scale, std::log(4) / 5, 1e-4);
  }
}

TEST(Calibrate, KeepsTheInputsOfTheSoftmax) {
  Sequential model{"net", {1}};
  model.layers = {Dense{"a", 2}, Dense{"b", 2}, Add{"sum"},
                  ActivationLayer{"softmax", Activation::softmax}};
  model.inputs = {{"b", {"images"}}, {"sum", {"a", "b"}}, {"softmax", {"sum"}}};
  Weights weights(model);
  weights.initialize(1, 1);
  const LabelledImages images = ones(80);
  const std::vector<std::string> classes{"first", "second"};
  calibrate(model, weights, Examples(images, classes));
  EXPECT_EQ(name_of(model.layers.back()), "softmax");
  EXPECT_THAT(model.inputs["inverse_temperature"], testing::ElementsAre("sum"));
  EXPECT_NO_THROW(summarize(model));
}

TEST(Calibrate, RefusesWhatHasNoSoftmaxOrNoImages) {
  Sequential model{"net", {1}, {Dense{"dense", 2, Activation::linear, false}}};
  const Weights weights(model);
  const LabelledImages images = ones(80);
  const LabelledImages none{{1}, {}, {}};
  const std::vector<std::string> classes{"first", "second"};
  const auto refusal = [&](Sequential one, const LabelledImages& with) {
    return error_of(Fault::user, [&] { calibrate(one, weights, Examples(with, classes)); });
  };
  EXPECT_THAT(refusal(model, images), HasSubstr("net does not end in a softmax"));
  EXPECT_THAT(refusal(of_one_value(true), none), HasSubstr("no images to calibrate net with"));
}

}  // namespace
}  // namespace sluice
