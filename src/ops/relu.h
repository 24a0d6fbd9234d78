#pragma once

#include "onednn/tensor.h"

namespace sluice::ops {

/// Computes dst = max(dst, 0), in place. NaN stays NaN: oneDNN's ReLU changes it to 0, which would
/// hide a training that diverged.
void relu(const dnnl::memory& dst);

/// Computes diff_dst = dst > 0 ? diff_dst : 0, in place. ReLU's forward pass is fused into the
/// operation before it, and the backward pass needs only the sign of its result. Both have the same
/// layout.
void relu_backward(const dnnl::memory& dst, const dnnl::memory& diff_dst);

}  // namespace sluice::ops
