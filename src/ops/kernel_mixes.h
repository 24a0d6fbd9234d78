#pragma once

#include <cstddef>

namespace sluice::ops {

// Mixes of several kernels, for a few images. Kernels, mixes and gradients have `size` floats,
// which is a multiple of kMixed; weights are (images, kernels).

constexpr std::size_t kMixed = 16;

struct Mixes {
  std::size_t images;
  std::size_t kernels;
  std::size_t size;
};

/// mixed (images, step): for each image the sum of kernels (kernels, size), each times its weight.
void mix(const Mixes& of, const float* weights, const float* kernels, std::size_t step,
         float* mixed);

/// Adds to sums (kernels, size) the gradients of mixes, diff_mixed (images, size), each times the
/// weight of the kernel.
void add_mix_gradients(const Mixes& of, const float* weights, const float* diff_mixed, float* sums);

/// Writes the gradients of the weights: products of diff_mixed and kernels.
void mix_weight_gradients(const Mixes& of, const float* diff_mixed, const float* kernels,
                          float* diff_weights);

}  // namespace sluice::ops
