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

void probabilities_of(std::span<const float> logits, std::span<float> probabilities) {
  const float largest = *std::ranges::max_element(logits);
  float sum = 0;
  for (std::size_t e = 0; e < logits.size(); ++e) {
    sum += probabilities[e] = std::exp(logits[e] - largest);
  }
  for (float& each : probabilities) each /= sum;
}

void weights_of(std::span<const float> probabilities, std::span<const int> chosen, bool normalize,
                std::span<float> weights) {
  float sum = 0;
  for (std::size_t k = 0; k < chosen.size(); ++k) sum += weights[k] = probabilities[chosen[k]];
  if (!normalize) return;
  for (float& each : weights) each /= sum;
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
                   std::span<float> diff_logits) {
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
    diff_logits[e] = probabilities[e] * (diff_logits[e] - mean);
  }
  if (!normalize) return;
  for (std::size_t k = 0; k < chosen.size(); ++k) {  // a softmax over the chosen ones
    diff_logits[chosen[k]] += weights[k] * (of_weights[k] - mean_of_chosen);
  }
}

}  // namespace sluice
