#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"

namespace sluice {

// The arithmetic of a gate, for one image of a MixtureOfExperts layer.

/// Writes the numbers of the largest logits, as many as `chosen` is long, the largest first; of
/// equal ones the first.
void choose(std::span<const float> logits, std::span<int> chosen);

/// Writes the softmax of the logits, each divided by the temperature.
void probabilities_of(std::span<const float> logits, std::span<float> probabilities,
                      float temperature = 1);

/// Adds normal noise of that deviation to the logits of a row of the whole batch.
void add_noise(const RandomStream& random, std::int64_t row, float deviation,
               std::span<float> logits);

/// Writes the weights of the chosen experts: their probabilities, or if they are normalised their
/// shares of the sum of these.
void weights_of(std::span<const float> probabilities, std::span<const int> chosen, bool normalize,
                std::span<float> weights);

/// Writes the normalised weights of any experts, however small their probabilities: the softmax of
/// their logits.
void normalized_weights_of(std::span<const float> logits, std::span<const int> chosen,
                           float temperature, std::span<float> weights);

/// Moves the biases of the experts that were chosen more often than the mean down by `rate`, and
/// those that were chosen less often up.
void balance(std::span<const std::size_t> counts, float rate, std::span<float> biases);

/// Marks the rows with the smallest values, so many; of equal ones the first.
void mark_smallest(std::span<const float> values, std::size_t count, std::vector<char>& marks);

/// Writes the gradient of sum(weights * of_weights) + sum(probabilities * of_probabilities) for the
/// logits.
void gate_backward(std::span<const float> probabilities, std::span<const int> chosen,
                   std::span<const float> weights, bool normalize,
                   std::span<const float> of_weights, std::span<const float> of_probabilities,
                   float temperature, std::span<float> diff_logits);

}  // namespace sluice
