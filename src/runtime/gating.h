#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace sluice {

// The arithmetic of a gate, for one image of a MixtureOfExperts layer.

/// Writes the numbers of the largest logits, as many as `chosen` is long, the largest first; of
/// equal ones the first.
void choose(std::span<const float> logits, std::span<int> chosen);

/// Writes the softmax of the logits.
void probabilities_of(std::span<const float> logits, std::span<float> probabilities);

/// Writes the weights of the chosen experts: their probabilities, or if they are normalised their
/// shares of the sum of these.
void weights_of(std::span<const float> probabilities, std::span<const int> chosen, bool normalize,
                std::span<float> weights);

/// Marks the rows with the smallest values, so many; of equal ones the first.
void mark_smallest(std::span<const float> values, std::size_t count, std::vector<char>& marks);

/// Writes the gradient of sum(weights * of_weights) + sum(probabilities * of_probabilities) for the
/// logits.
void gate_backward(std::span<const float> probabilities, std::span<const int> chosen,
                   std::span<const float> weights, bool normalize,
                   std::span<const float> of_weights, std::span<const float> of_probabilities,
                   std::span<float> diff_logits);

}  // namespace sluice
