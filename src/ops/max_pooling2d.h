#pragma once

#include "onednn/describe.h"
#include "ops/op.h"

namespace sluice::ops {

/// Stride equal to the pool, 'valid' padding: a remainder at the lower or right edge is dropped.
/// src (N, C, H, W), dst (N, C, H / pool, W / pool) in the layout of src. Of equal values the first
/// has the gradient.
class MaxPooling2D : public Op {
 public:
  MaxPooling2D(Plan& plan, const dnnl::memory& src, int pool_size);

  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward(onednn::Context& context) override;

 private:
  onednn::PoolingForward::primitive_desc description_;
  int pool_size_;
  dnnl::memory argmax_;
  onednn::Step forward_;
  onednn::Step backward_;
};

}  // namespace sluice::ops
