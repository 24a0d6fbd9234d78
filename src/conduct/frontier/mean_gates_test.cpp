#include "conduct/frontier/mean_gates.h"

#include <gtest/gtest.h>

#include "graph/weights.h"
#include "train/fit_testing.h"

namespace sluice {
namespace {

Sequential mixing() {
  return {"m",
          {8, 8, 3},
          {CondConv2D{"a", 8, 5, 3, Activation::relu}, Conv2D{"b", 8}, CondConv2D{"c", 8, 3},
           Add{"sum"}, GlobalMaxPooling2D{"pool"}, Dense{"output", kClasses}},
          {{"c", {"a"}}, {"sum", {"b", "c"}}}};
}

Weights random_weights(const Sequential& model) {
  Weights weights(model);
  weights.initialize(2, 1);
  for (const char* layer : {"a", "c"}) {
    for (float& value : weights.values(tensor_of(weights, layer, "gate_kernel"))) value *= 50;
    for (float& value : weights.values(tensor_of(weights, layer, "gate_bias"))) value = 0.5F;
  }
  return weights;
}

TEST(MeanGates, OfOneImageGiveItTheSame) {
  const Sequential model = mixing();
  const Weights weights = random_weights(model);
  const LabelledImages images = random_set(1, 1);
  const Weights fixed = with_mean_gates(model, weights, Examples(images, kNames), {.batch = 4});
  const auto predict = [&](const Weights& by, std::uint32_t stream) {
    std::vector<float> pixels;
    for (const std::uint8_t p : random_set(1, stream).pixels) pixels.push_back(float(p) / 255);
    const auto compiled = compile_for_inference(model, by, {.batch = 1});
    const auto outputs = compiled->predict(pixels, 1);
    return std::vector<float>(outputs.begin(), outputs.end());
  };
  EXPECT_LT(relative_error(predict(fixed, 1), predict(weights, 1)), 1e-5);
  EXPECT_GT(relative_error(predict(fixed, 2), predict(weights, 2)), 1e-3);
}

TEST(MeanGates, AreTheMeansOfTheGates) {
  const Sequential model = mixing();
  const Weights weights = random_weights(model);
  const auto of = [&](const LabelledImages& images) {
    const Weights fixed = with_mean_gates(model, weights, Examples(images, kNames), {.batch = 2});
    std::vector<double> means;
    for (const char* layer : {"a", "c"}) {
      for (const float logarithm : fixed.values(tensor_of(fixed, layer, "gate_bias"))) {
        means.push_back(std::exp(logarithm));
      }
    }
    return means;
  };
  LabelledImages images = random_set(5, 3);
  const std::vector<double> means = of(images);
  std::vector<double> expected(means.size());
  const std::size_t pixels = images.pixels.size() / 5;
  for (std::size_t i = 0; i < 5; ++i) {
    const auto first = images.pixels.begin() + std::ptrdiff_t(i * pixels);
    const LabelledImages one{images.shape, {first, first + std::ptrdiff_t(pixels)}, {0}};
    const std::vector<double> its = of(one);
    for (std::size_t k = 0; k < its.size(); ++k) expected[k] += its[k] / 5;
  }
  EXPECT_LT(relative_error(means, expected), 1e-5);
}

}  // namespace
}  // namespace sluice
