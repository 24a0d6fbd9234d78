#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "sluice/dataset.h"

namespace sluice {

/// A permutation of [0, count): Fisher and Yates's shuffle with counter-based random numbers.
std::vector<std::uint32_t> permutation(std::size_t count, const RandomStream& random);

/// 0, 1, 2, ...
std::vector<std::uint32_t> in_order(std::size_t count);

/// One batch as a network takes it: pixels as floats in [0, 1], (rows, height, width, channels).
struct Batch {
  std::vector<float> images;
  std::vector<int> labels;

  int size() const { return static_cast<int>(labels.size()); }
};

/// Fills `batch` with the examples that `rows` names. Its memory is kept between calls.
void fill_batch(const Examples& examples, std::span<const std::uint32_t> rows, Batch& batch);

}  // namespace sluice
