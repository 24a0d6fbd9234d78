#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "base/parallel.h"
#include "sluice/evaluation.h"
#include "sluice/trainer.h"
#include "tests/scratch.h"
#include "train/fit_testing.h"

namespace sluice {
namespace {

using testing::HasSubstr;

/// Pictures of a few colours, each a little different.
LabelledImages coloured(const std::vector<std::array<int, 3>>& colours, int of_each) {
  LabelledImages images{{2, 2, 3}, {}, {}};
  for (int i = 0; i < of_each; ++i) {
    for (std::size_t c = 0; c < colours.size(); ++c) {
      for (int pixel = 0; pixel < 4; ++pixel) {
        for (int channel = 0; channel < 3; ++channel) {
          const int shade = colours[c][static_cast<std::size_t>(channel)] + (i * 7 + channel) % 5;
          images.pixels.push_back(static_cast<std::uint8_t>(shade));
        }
      }
      images.labels.push_back(static_cast<int>(c) % kClasses);
    }
  }
  return images;
}

Sequential gate(int units, std::vector<Layer> before = {GlobalAveragePooling2D{"means"}}) {
  Sequential model{"m", {2, 2, 3}, std::move(before)};
  model.layers.push_back(Dense{"gate", units, Activation::linear, true, Initializer::centroids});
  return model;
}

std::vector<float> outputs_of(const Sequential& model, const Weights& weights,
                              const LabelledImages& images, std::size_t image) {
  std::vector<float> pixels;
  for (const std::uint8_t p : images.image(image)) pixels.push_back(static_cast<float>(p) / 255);
  const auto compiled = compile_for_inference(model, weights, {});
  const auto outputs = compiled->predict(pixels, 1);
  return {outputs.begin(), outputs.end()};
}

int chosen(const std::vector<float>& outputs) {
  return static_cast<int>(std::ranges::max_element(outputs) - outputs.begin());
}

const std::vector<std::array<int, 3>> kColours{{20, 20, 20}, {220, 30, 30}, {30, 220, 200}};

TEST(Centroids, EachClusterChoosesAUnitOfItsOwn) {
  const LabelledImages images = coloured(kColours, 40);
  // Behind layers, one of them with weights, and behind another branch.
  Sequential graph = gate(3, {Flatten{"other"}, Conv2D{"conv", 5, 1, Activation::linear},
                              GlobalAveragePooling2D{"means"}});
  graph.inputs = {{"conv", {"images"}}};
  graph.layers.push_back(Dense{"far", 3});
  graph.layers.push_back(Add{"sum"});
  graph.inputs["far"] = {"other"};
  graph.inputs["sum"] = {"gate", "far"};
  for (const Sequential& model : {gate(3), graph}) {
    Weights weights(model);
    weights.initialize(3, 1);
    for (const Weights::Tensor& tensor : weights.tensors()) {
      if (tensor.layer == "far") std::ranges::fill(weights.values(tensor), 0.F);
    }
    set_centroids(model, Examples(images, kNames), weights);
    std::map<std::size_t, int> units;
    for (std::size_t i = 0; i < images.size(); ++i) {
      const int unit = chosen(outputs_of(model, weights, images, i));
      const auto [known, is_new] = units.try_emplace(i % kColours.size(), unit);
      EXPECT_EQ(known->second, unit) << i;
    }
    EXPECT_NE(units[0], units[1]);
    EXPECT_NE(units[1], units[2]);
    EXPECT_NE(units[0], units[2]);
  }
}

/// The difference of two outputs is that of the squared distances.
TEST(Centroids, OutputsAreDistances) {
  const LabelledImages images = coloured(kColours, 40);
  const Sequential model = gate(3);
  Weights weights(model);
  set_centroids(model, Examples(images, kNames), weights);
  std::vector<std::array<double, 3>> means(3);
  double within = 0;
  const auto value = [&](std::size_t image, std::size_t channel) {
    return images.image(image)[channel] / 255.;
  };
  for (std::size_t i = 0; i < images.size(); ++i) {
    for (std::size_t d = 0; d < 3; ++d) means[i % 3][d] += value(i, d) / 40;
  }
  const auto distance = [&](std::size_t image, std::size_t cluster) {
    double sum = 0;
    for (std::size_t d = 0; d < 3; ++d) sum += std::pow(value(image, d) - means[cluster][d], 2);
    return sum;
  };
  for (std::size_t i = 0; i < images.size(); ++i) within += distance(i, i % 3) / 120;
  std::array<int, 3> unit{};
  for (std::size_t c = 0; c < 3; ++c) {
    unit[c] = chosen(outputs_of(model, weights, images, c));
  }
  for (const std::size_t image : {0U, 4U, 119U}) {
    const std::vector<float> outputs = outputs_of(model, weights, images, image);
    for (const auto& [a, b] : {std::pair<std::size_t, std::size_t>{0, 1}, {1, 2}}) {
      const double expected = (distance(image, b) - distance(image, a)) / within;
      EXPECT_NEAR(outputs[unit[a]] - outputs[unit[b]], expected, 1e-3 * std::abs(expected));
    }
  }
}

TEST(Centroids, DoNotDependOnThreads) {
  const LabelledImages images = random_set(300, 4, {2, 2, 3});
  const Sequential model = gate(4, {Flatten{"flat"}});
  const auto centroids = [&](int threads) {
    const ThreadTeam team(threads);
    Weights weights(model);
    set_centroids(model, Examples(images, kNames), weights);
    return std::vector<float>(weights.values().begin(), weights.values().end());
  };
  const std::vector<float> one = centroids(1);
  EXPECT_GT(one[0], 0);
  EXPECT_EQ(centroids(3), one);
}

TEST(Centroids, OfEqualOrFewImagesAreFinite) {
  for (const LabelledImages& images : {coloured({{50, 50, 50}}, 1), coloured(kColours, 1)}) {
    const Sequential model = gate(4);
    Weights weights(model);
    set_centroids(model, Examples(images, kNames), weights);
    for (const float value : weights.values()) EXPECT_TRUE(std::isfinite(value));
  }
}

TEST(Centroids, NeedADenseWithABiasAndImages) {
  const Sequential model = gate(2);
  Weights weights(model);
  const LabelledImages none{{2, 2, 3}, {}, {}};
  EXPECT_THAT(error_of(Fault::user,
                       [&] {
                         set_centroids(model, {none, kNames}, weights);
                       }),
              HasSubstr("m takes images of (2, 2, 3), and there are 0"));
  const auto refusal = [](std::vector<Layer> layers) {
    return error_of(Fault::user, [&] { summarize(Sequential{"m", {4, 4, 3}, layers}); });
  };
  constexpr Initializer kCentroids = Initializer::centroids;
  EXPECT_THAT(refusal({Flatten{"f"}, Dense{"gate", 2, Activation::linear, false, kCentroids}}),
              HasSubstr("has centroids, which need a bias"));
  EXPECT_THAT(
      refusal({Conv2D{"conv", 2, 3, Activation::linear, 1, Padding::same, true, kCentroids}}),
      HasSubstr("has centroids, which are for a Dense"));
  EXPECT_THAT(
      refusal({Flatten{"f"}, Dense{"d", 2, Activation::linear, true, Initializer::whitening}}),
      HasSubstr("has an initial kernel of convolutions"));
  Sequential nested{"m", {4, 4, 3}, {}};
  const Layer dense = Dense{"d", 2, Activation::linear, true, kCentroids};
  nested.layers = {
      Flatten{"f"}, Dense{"gate", 2},
      MixtureOfExperts{.name = "experts", .experts = {{"one", {}, {dense}}, {"two", {}, {dense}}}}};
  nested.inputs = {{"experts", {"f", "gate"}}};
  EXPECT_THAT(error_of(Fault::user, [&] { summarize(nested); }),
              HasSubstr("one has a kernel that begins by images"));
}

}  // namespace
}  // namespace sluice
