#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "sluice/dataset.h"

namespace sluice {

/// Returns a permutation of [0, count): Fisher-Yates shuffle with counter-based random numbers.
std::vector<std::uint32_t> permutation(std::size_t count, const RandomStream& random);

/// Returns 0, 1, 2, ...
std::vector<std::uint32_t> in_order(std::size_t count);

/// A mini-batch for a network: pixels as floats in [0, 1], (rows, height, width, channels).
struct Batch {
  std::vector<float> images;
  std::vector<int> labels;
  std::vector<float> weights{};  ///< of the images in the loss; empty if all are 1
  // Of mixup: labels of the images that were mixed in, and the weight of `labels`; else empty.
  std::vector<int> other_labels{};
  float weight = 1;

  int size() const { return static_cast<int>(labels.size()); }
};

/// Gives `batch` the labels and weights of the examples at `rows` and memory for their images;
/// returns the number of values of one image.
std::size_t resize_batch(const Examples& examples, std::span<const std::uint32_t> rows,
                         Batch& batch);

/// Fills `batch` with the examples at `rows`, and reuses its memory.
void fill_batch(const Examples& examples, std::span<const std::uint32_t> rows, Batch& batch);

}  // namespace sluice
