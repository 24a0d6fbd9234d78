#include "runtime/gating.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>
#include <vector>

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::Pointwise;

const std::vector<float> kLogits{0.3f, 1.7f, -0.4f, 1.7f};

std::vector<int> chosen_of(std::span<const float> logits, std::size_t top_k) {
  std::vector<int> chosen(top_k);
  choose(logits, chosen);
  return chosen;
}

TEST(Gating, ChoosesTheLargestAndOfEqualOnesTheFirst) {
  EXPECT_THAT(chosen_of(kLogits, 1), ElementsAre(1));
  EXPECT_THAT(chosen_of(kLogits, 3), ElementsAre(1, 3, 0));
  EXPECT_THAT(chosen_of(kLogits, 4), ElementsAre(1, 3, 0, 2));
  EXPECT_THAT(chosen_of(std::vector<float>{NAN, NAN}, 2), ElementsAre(0, 1)) << "different ones";
}

TEST(Gating, WeightsAreTheSoftmaxOfAllOrOfTheChosen) {
  std::vector<float> probabilities(4);
  probabilities_of(kLogits, probabilities);
  const double sum = std::exp(0.3) + 2 * std::exp(1.7) + std::exp(-0.4);
  EXPECT_NEAR(probabilities[0], std::exp(0.3) / sum, 1e-6);
  EXPECT_NEAR(probabilities[2], std::exp(-0.4) / sum, 1e-6);
  const std::vector<int> chosen{1, 0};
  std::vector<float> weights(2);
  weights_of(probabilities, chosen, false, weights);
  EXPECT_THAT(weights, ElementsAre(probabilities[1], probabilities[0]));
  weights_of(probabilities, chosen, true, weights);
  EXPECT_NEAR(weights[0], std::exp(1.7) / (std::exp(1.7) + std::exp(0.3)), 1e-6);
  std::vector<float> large{1000, 999};
  probabilities_of(std::vector<float>{1000, 999}, large);
  EXPECT_NEAR(large[0], 1 / (1 + std::exp(-1.0)), 1e-6) << "of large logits";
}

TEST(Gating, TemperatureDividesTheLogits) {
  std::vector<float> probabilities(4), of_divided(4);
  probabilities_of(kLogits, probabilities, 0.5f);
  std::vector<float> divided;
  for (const float logit : kLogits) divided.push_back(logit / 0.5f);
  probabilities_of(divided, of_divided);
  EXPECT_THAT(probabilities, Pointwise(FloatNear(1e-6f), of_divided));
  probabilities_of(std::vector<float>{1, 0}, of_divided, 1e-6f);
  EXPECT_EQ(of_divided[0], 1);
}

TEST(Gating, NormalizedWeightsAreThoseOfAnyExpertsHoweverUnlikely) {
  std::vector<float> probabilities(4), expected(2), weights(2);
  const std::vector<int> chosen{2, 0};
  probabilities_of(kLogits, probabilities, 2);
  weights_of(probabilities, chosen, true, expected);
  normalized_weights_of(kLogits, chosen, 2, weights);
  EXPECT_THAT(weights, Pointwise(FloatNear(1e-6f), expected));
  normalized_weights_of(std::vector<float>{-1000, 1000, -1001}, chosen, 1, weights);
  EXPECT_NEAR(weights[1], 1 / (1 + std::exp(-1.0)), 1e-6);
}

TEST(Gating, NoiseIsNormalAndThatOfTheRow) {
  constexpr std::size_t kExperts = 5;
  constexpr int kRows = 4000;
  const RandomStream random(3, Purpose::gate_noise, 7, 11);
  double sum = 0, squares = 0, fourth = 0;
  std::set<float> all;
  for (int row = 0; row < kRows; ++row) {
    std::vector<float> values(kExperts, 1.f), again(kExperts, 1.f);
    add_noise(random, row, 0.5f, values);
    add_noise(random, row, 0.5f, again);
    EXPECT_EQ(values, again);
    for (std::size_t e = 0; e < kExperts; ++e) {
      const double noise = (values[e] - 1) / 0.5;
      sum += noise;
      squares += noise * noise;
      fourth += std::pow(noise, 4);
    }
    all.insert(values.begin(), values.end());
  }
  constexpr double kCount = kRows * double(kExperts);
  EXPECT_NEAR(sum / kCount, 0, 0.03);
  EXPECT_NEAR(squares / kCount, 1, 0.04);
  EXPECT_NEAR(fourth / kCount, 3, 0.3);
  EXPECT_GT(static_cast<double>(all.size()), 0.98 * kCount) << "each has its own";
}

TEST(Gating, BiasesMoveTowardsTheMean) {
  std::vector<float> biases{0.5f, 0.5f, 0.5f, 0.5f};
  balance(std::vector<std::size_t>{4, 0, 2, 2}, 0.125f, biases);
  EXPECT_THAT(biases, ElementsAre(0.375f, 0.625f, 0.5f, 0.5f));
  balance(std::vector<std::size_t>{3, 2, 2, 2}, 0.125f, biases);  // a mean of 2.25
  EXPECT_THAT(biases, ElementsAre(0.25f, 0.75f, 0.625f, 0.625f));
}

/// sum(weights * of_weights) + sum(probabilities * of_probabilities)
double loss(std::vector<double> logits, double temperature, const std::vector<int>& chosen,
            bool normalize, const std::vector<float>& of_weights,
            const std::vector<float>& of_probabilities) {
  double sum = 0;
  double sum_of_chosen = 0;
  for (double& logit : logits) logit /= temperature;
  for (const double logit : logits) sum += std::exp(logit);
  for (const int e : chosen) sum_of_chosen += std::exp(logits[e]);
  double loss = 0;
  for (std::size_t e = 0; e < logits.size(); ++e) {
    loss += std::exp(logits[e]) / sum * of_probabilities[e];
  }
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    loss += std::exp(logits[chosen[k]]) / (normalize ? sum_of_chosen : sum) * of_weights[k];
  }
  return loss;
}

TEST(Gating, GradientsEqualCentralDifferences) {
  constexpr double kStep = 1e-4;
  const std::vector<float> all_of_weights{0.7f, -1.2f, 0.4f, 2.1f};
  for (const bool normalize : {false, true}) {
    for (std::size_t top_k = 1; top_k <= 4; ++top_k) {
      for (const auto& [balance, temperature] :
           {std::pair{0.f, 1.f}, {0.6f, 1.f}, {0.6f, 0.4f}, {0.6f, 3.f}}) {
        SCOPED_TRACE(testing::Message()
                     << normalize << " " << top_k << " " << balance << " " << temperature);
        const std::vector<int> chosen = chosen_of(kLogits, top_k);
        const std::vector<float> of_weights(all_of_weights.begin(), all_of_weights.begin() + top_k);
        const std::vector<float> of_probabilities{balance, -2 * balance, 0, balance};
        std::vector<float> probabilities(4), weights(top_k), gradient(4, NAN);
        probabilities_of(kLogits, probabilities, temperature);
        weights_of(probabilities, chosen, normalize, weights);
        gate_backward(probabilities, chosen, weights, normalize, of_weights, of_probabilities,
                      temperature, gradient);
        std::vector<float> expected;
        for (std::size_t e = 0; e < kLogits.size(); ++e) {
          std::vector<double> logits(kLogits.begin(), kLogits.end());
          logits[e] += kStep;
          const double above =
              loss(logits, temperature, chosen, normalize, of_weights, of_probabilities);
          logits[e] -= 2 * kStep;
          const double below =
              loss(logits, temperature, chosen, normalize, of_weights, of_probabilities);
          expected.push_back(static_cast<float>((above - below) / (2 * kStep)));
        }
        EXPECT_THAT(gradient, Pointwise(FloatNear(1e-5f), expected));
      }
    }
  }
}

}  // namespace
}  // namespace sluice
