#include "conduct/frontier/exchanged_choices.h"

#include <gtest/gtest.h>

#include "data/batching.h"
#include "graph/weights.h"
#include "train/fit_testing.h"

namespace sluice {
namespace {

/// Two layers of experts, of which the second has the first one's outputs as its gate's input.
Sequential routing() {
  const auto expert = [](const std::string& name, int units) {
    return Sequential{.name = name, .layers = {Dense{"dense", units}}};
  };
  return {
      "m",
      {8, 8, 3},
      {Conv2D{"conv", 6, 3, Activation::relu, 4}, GlobalAveragePooling2D{"means"}, Dense{"gate", 3},
       MixtureOfExperts{.name = "first",
                        .experts = {expert("a", 5), expert("b", 5), expert("c", 5)}},
       Dense{"second.gate", 2},
       MixtureOfExperts{
           .name = "second", .experts = {expert("a", kClasses), expert("b", kClasses)}, .top_k = 2},
       ActivationLayer{"softmax", Activation::softmax}},
      {{"first", {"means", "gate"}},
       {"second.gate", {"first"}},
       {"second", {"first", "second.gate"}}}};
}

class ExchangedChoices : public testing::Test {
 protected:
  ExchangedChoices() {
    weights_.initialize(5, 1);
    for (const char* gate : {"gate", "second.gate"}) {
      for (float& value : weights_.values(tensor_of(weights_, gate, "kernel"))) value *= 30;
    }
  }

  std::vector<float> exchanged(const LabelledImages& images) const {
    return outputs_by_exchanged_choices(model_, weights_, Examples(images, kNames), random_,
                                        {.batch = 3});
  }
  std::vector<float> predicted(const LabelledImages& images) const {
    const auto compiled = compile_for_inference(model_, weights_, {.batch = 64});
    std::vector<float> pixels;
    for (const std::uint8_t p : images.pixels) pixels.push_back(static_cast<float>(p) / 255);
    const auto outputs = compiled->predict(pixels, static_cast<int>(images.size()));
    return {outputs.begin(), outputs.end()};
  }

  Sequential model_ = routing();
  Weights weights_{model_};
  RandomStream random_{0, Purpose::control, 1, 0};
};

TEST_F(ExchangedChoices, OfOneImageAreItsOwn) {
  for (const std::uint32_t stream : {1U, 2U, 3U}) {
    const LabelledImages one = random_set(1, stream);
    EXPECT_LT(relative_error(exchanged(one), predicted(one)), 1e-5);
  }
}

/// Where experts do not look at the image, the outputs are those of the other image.
TEST_F(ExchangedChoices, AreThoseOfTheOtherImage) {
  const LabelledImages images = random_set(20, 4);
  const auto is_of_expert = [](const Weights::Tensor& tensor) {
    return tensor.layer == "first" || tensor.layer == "second";
  };
  EXPECT_GT(relative_error(exchanged(images), predicted(images)), 1e-2);
  for (const Weights::Tensor& tensor : weights_.tensors()) {
    if (!is_of_expert(tensor)) continue;
    const bool is_bias = tensor.kind.ends_with("bias");
    for (float& value : weights_.values(tensor)) {
      value = is_bias ? static_cast<float>(tensor.offset % 7) +
                            0.3F * static_cast<float>(&value - weights_.values(tensor).data())
                      : 0;
    }
  }
  const std::vector<float> own = predicted(images);
  const std::vector<float> others = exchanged(images);
  const std::vector<std::uint32_t> order = permutation(images.size(), random_);
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::size_t c = 0; c < kClasses; ++c) {
      EXPECT_NEAR(others[i * kClasses + c], own[order[i] * kClasses + c], 1e-5) << i;
    }
  }
}

}  // namespace
}  // namespace sluice
