#include "runtime/gating.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluice {

void choose(std::span<const float> logits, std::span<int> chosen) {
  for (auto next = chosen.begin(); next != chosen.end(); ++next) {
    int best = -1;
    for (int e = 0; e < static_cast<int>(logits.size()); ++e) {
      if (std::find(chosen.begin(), next, e) != next) continue;
      if (best < 0 || logits[e] > logits[best]) best = e;
    }
    *next = best;
  }
}

void probabilities_of(std::span<const float> logits, std::span<float> probabilities,
                      float temperature) {
  const float largest = *std::ranges::max_element(logits);
  float sum = 0;
  for (std::size_t e = 0; e < logits.size(); ++e) {
    sum += probabilities[e] = std::exp((logits[e] - largest) / temperature);
  }
  for (float& each : probabilities) each /= sum;
}

void add_noise(const RandomStream& random, std::int64_t row, float deviation,
               std::span<float> logits) {
  const std::size_t first = static_cast<std::size_t>(row) * logits.size();
  for (std::size_t e = 0; e < logits.size(); ++e) {
    const auto bits = random.bits(static_cast<std::uint32_t>(first + e));
    logits[e] += deviation * static_cast<float>(RandomStream::normal(bits[0], bits[1]));
  }
}

void weights_of(std::span<const float> probabilities, std::span<const int> chosen, bool normalize,
                std::span<float> weights) {
  float sum = 0;
  for (std::size_t k = 0; k < chosen.size(); ++k) sum += weights[k] = probabilities[chosen[k]];
  if (!normalize) return;
  for (float& each : weights) each /= sum;
}

void normalized_weights_of(std::span<const float> logits, std::span<const int> chosen,
                           float temperature, std::span<float> weights) {
  for (std::size_t k = 0; k < chosen.size(); ++k) weights[k] = logits[chosen[k]];
  probabilities_of(weights, weights, temperature);
}

void balance(std::span<const std::size_t> counts, float rate, std::span<float> biases) {
  const std::size_t all = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
  for (std::size_t e = 0; e < counts.size(); ++e) {
    const std::size_t scaled = counts[e] * counts.size();
    if (scaled < all) biases[e] += rate;
    if (scaled > all) biases[e] -= rate;
  }
}

void mark_smallest(std::span<const float> values, std::size_t count, std::vector<char>& marks) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::nth_element(order, order.begin() + static_cast<std::ptrdiff_t>(count),
                           [&](std::size_t a, std::size_t b) {
                             return values[a] != values[b] ? values[a] < values[b] : a < b;
                           });
  marks.assign(values.size(), 0);
  for (std::size_t i = 0; i < count; ++i) marks[order[i]] = 1;
}

void gate_backward(std::span<const float> probabilities, std::span<const int> chosen,
                   std::span<const float> weights, bool normalize,
                   std::span<const float> of_weights, std::span<const float> of_probabilities,
                   float temperature, std::span<float> diff_logits) {
  float mean = 0;
  for (std::size_t e = 0; e < probabilities.size(); ++e) {
    diff_logits[e] = of_probabilities[e];
    mean += of_probabilities[e] * probabilities[e];
  }
  float mean_of_chosen = 0;
  for (std::size_t k = 0; k < chosen.size(); ++k) mean_of_chosen += of_weights[k] * weights[k];
  if (!normalize) {  // the weights are probabilities
    for (std::size_t k = 0; k < chosen.size(); ++k) diff_logits[chosen[k]] += of_weights[k];
    mean += mean_of_chosen;
  }
  for (std::size_t e = 0; e < probabilities.size(); ++e) {
    diff_logits[e] = probabilities[e] * (diff_logits[e] - mean) / temperature;
  }
  if (!normalize) return;
  for (std::size_t k = 0; k < chosen.size(); ++k) {  // a softmax over the chosen ones
    diff_logits[chosen[k]] += weights[k] * (of_weights[k] - mean_of_chosen) / temperature;
  }
}

}  // namespace sluice
