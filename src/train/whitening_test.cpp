#include <gmock/gmock.h>

#include <cmath>

#include "base/parallel.h"
#include "sluice/error.h"
#include "sluice/trainer.h"
#include "tests/scratch.h"
#include "train/fit_testing.h"

namespace sluice {
namespace {

using testing::HasSubstr;

Sequential whitened(const Shape& input, Size2D kernel, std::vector<Layer> before = {}) {
  const auto filters = static_cast<int>(2 * kernel.height * kernel.width * input[2]);
  Sequential model{"m", input, std::move(before)};
  model.layers.push_back(Conv2D{"whiten", filters, kernel, Activation::linear, 1, Padding::valid,
                                false, Initializer::whitening});
  return model;
}

/// Mean products of each two outputs of the convolution, over all places of all images.
std::vector<double> moments_of_outputs(const Sequential& model, const Weights& weights,
                                       const LabelledImages& images) {
  const auto compiled = compile_for_inference(model, weights, {});
  const auto filters = static_cast<std::size_t>(summarize(model).back().output[2]);
  std::vector<double> sums(filters * filters);
  std::size_t places = 0;
  for (std::size_t image = 0; image < images.size(); ++image) {
    std::vector<float> pixels;
    for (const std::uint8_t p : images.image(image)) pixels.push_back(static_cast<float>(p) / 255);
    const auto outputs = compiled->predict(pixels, 1);
    for (std::size_t at = 0; at < outputs.size(); at += filters) {
      ++places;
      for (std::size_t i = 0; i < filters; ++i) {
        for (std::size_t j = 0; j < filters; ++j) {
          sums[i * filters + j] += double(outputs[at + i]) * outputs[at + j];
        }
      }
    }
  }
  for (double& sum : sums) sum /= static_cast<double>(places);
  return sums;
}

/// Random images have large eigenvalues, so that the constant added to them hardly counts.
TEST(Whiten, OutputsAreUncorrelatedAndOfOneSize) {
  const std::vector<double> mean{0.5, 0.4, 0.6};
  const std::vector<double> variance{0.1, 0.05, 0.08};
  Sequential graph =
      whitened({8, 7, 3}, 2, {ActivationLayer{"a"}, ActivationLayer{"b"}, Add{"sum"}});
  graph.inputs = {{"b", {"images"}}, {"sum", {"a", "b"}}};
  for (const Sequential& model :
       {graph, whitened({8, 7, 3}, 2, {Normalization{"normal", mean, variance}}),
        whitened({8, 7, 1}, 2),
        whitened({8, 7, 3}, {1, 3}, {Normalization{"normal", mean, variance}})}) {
    const LabelledImages images = random_set(50, 1, model.input);
    Weights weights(model);
    whiten(model, Examples(images, kNames), weights);
    const std::vector<double> moments = moments_of_outputs(model, weights, images);
    const auto filters = static_cast<std::size_t>(std::sqrt(moments.size()));
    for (std::size_t i = 0; i < filters; ++i) {
      for (std::size_t j = 0; j < filters; ++j) {
        const double expected = i == j ? 1 : i % (filters / 2) == j % (filters / 2) ? -1 : 0;
        EXPECT_NEAR(moments[i * filters + j], expected, 0.01) << i << " " << j;
      }
    }
    // The largest eigenvalue first: its filter has the smallest values.
    const std::span<const float> kernel = weights.values(weights.tensors().back());
    double before = 0;
    for (std::size_t f = 0; f < filters / 2; ++f) {
      double squares = 0;
      float largest = 0;
      for (std::size_t i = f; i < kernel.size(); i += filters) {
        squares += double(kernel[i]) * kernel[i];
        if (std::fabs(kernel[i]) > std::fabs(largest)) largest = kernel[i];
        EXPECT_EQ(kernel[i + filters / 2], -kernel[i]);
      }
      EXPECT_GT(largest, 0);
      EXPECT_GE(squares, before);
      before = squares;
    }
  }
}

TEST(Whiten, UsesTheFirstImagesAndGivesTheSameBits) {
  const Sequential model = whitened({3, 3, 1}, 2);
  const LabelledImages images = random_set(5100, 1, model.input);
  const auto kernel_by = [&](const LabelledImages& given, int threads) {
    const ThreadTeam team(threads);
    Weights weights(model);
    whiten(model, Examples(given, kNames), weights);
    return std::vector<float>(weights.values().begin(), weights.values().end());
  };
  const std::vector<float> kernel = kernel_by(images, 1);
  LabelledImages others = images;
  std::fill(others.pixels.begin() + 5000 * 9, others.pixels.end(), std::uint8_t{0});
  EXPECT_EQ(kernel_by(others, 1), kernel);
  EXPECT_EQ(kernel_by(images, 3), kernel) << "the number of threads";
  others.pixels[4999 * 9] ^= 255;
  EXPECT_NE(kernel_by(others, 1), kernel);
}

TEST(Whiten, ImagesOfOneColourGiveFiniteFilters) {
  const Sequential model = whitened({4, 4, 3}, 2);
  LabelledImages images = random_set(4, 1, model.input);
  std::ranges::fill(images.pixels, std::uint8_t{0});
  Weights weights(model);
  whiten(model, Examples(images, kNames), weights);
  for (const float value : weights.values()) EXPECT_LE(std::fabs(value), 1 / std::sqrt(5e-4f));
}

TEST(Whiten, WhatDoesNotFit) {
  const LabelledImages images = random_set(4, 1, {8, 8, 3});
  const Examples examples(images, kNames);
  const auto said = [&](const Sequential& model) {
    return error_of(Fault::user, [&] {
      Weights weights(model);
      whiten(model, examples, weights);
    });
  };
  EXPECT_THAT(said(whitened({8, 4, 3}, 2)),
              HasSubstr("m takes images of (8, 4, 3), and there are 4 of (8, 8, 3)"));
  Sequential model = whitened({8, 8, 3}, 2);
  std::get<Conv2D>(model.layers[0]).filters = 20;
  EXPECT_THAT(said(model), HasSubstr("m: whiten: has whitening filters: there must be 24"));
}

}  // namespace
}  // namespace sluice
