#pragma once

#include "onednn/tensor.h"

namespace sluice::ops {

/// dst = max(dst, 0), in place; NaN stays NaN, where oneDNN's own makes it 0 and a training that
/// went wrong would go on unnoticed.
void relu(const dnnl::memory& dst);

/// diff_dst = dst > 0 ? diff_dst : 0, in place. The forward pass is part of the operation
/// before it, and its result's sign is all that the backward pass needs. Both have the same layout.
void relu_backward(const dnnl::memory& dst, const dnnl::memory& diff_dst);

}  // namespace sluice::ops
