#pragma once

#include "onednn/tensor.h"

namespace sluice::ops {

/// diff_dst = dst > 0 ? diff_dst : 0, in place. The forward pass is fused into the operation before
/// it, and its result's sign is all that the backward pass needs. Both have the same layout.
void relu_backward(const dnnl::memory& dst, const dnnl::memory& diff_dst);

}  // namespace sluice::ops
