#pragma once

#include "ops/op.h"

namespace sluice::ops {

/// Rows of values in Keras's order (height, width, channels) in another shape. src (N, C, H, W) in
/// any layout, or (N, C). dst (N, C) for a target of one axis; for (height, width, channels) (N, C,
/// H, W) in NHWC.
class Reshape : public Op {
 public:
  Reshape(Plan& plan, const dnnl::memory& src, const Shape& target);

  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_data(onednn::Context& context) override;

 private:
  dnnl::memory::desc plain_;  ///< of src, with its values in Keras's order
  onednn::Step forward_;
  onednn::Step backward_;
};

}  // namespace sluice::ops
