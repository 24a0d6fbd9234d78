#pragma once

#include <cstddef>
#include <limits>

#include "onednn/tensor.h"

namespace sluice::ops {

/// The ReLU that an operation applies to its result, with Keras's max_value. Its backward pass
/// needs only the result: its sign, and with max_value the value.
struct FusedRelu {
  FusedRelu(bool is_applied = false,  // NOLINT: with or without
            float largest = std::numeric_limits<float>::infinity())
      : applied(is_applied), max_value(largest) {}

  bool has_max_value() const { return max_value < std::numeric_limits<float>::infinity(); }

  bool applied;
  float max_value;
};

/// Computes x = x < 0 ? 0 : x > max_value ? max_value : x, in place. NaN stays NaN: oneDNN's ReLU
/// changes it to 0, which would hide a training that diverged.
void relu(float* values, std::size_t count, float max_value);

/// Computes diff_dst = dst > 0 and dst < max_value ? diff_dst : 0, in place.
void relu_backward(const float* dst, std::size_t count, float* diff_dst, float max_value);

/// The same for whole tensors, in parallel, if it is applied. dst and diff_dst have the same
/// layout.
void relu(const dnnl::memory& dst, const FusedRelu& fused);
void relu_backward(const dnnl::memory& dst, const dnnl::memory& diff_dst, const FusedRelu& fused);

}  // namespace sluice::ops
