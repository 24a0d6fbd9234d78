#pragma once

#include "ops/op.h"

namespace sluice::ops {

/// Copies src (N, C, H, W), in any layout, to dst (N, H * W * C), in Keras's order height, width,
/// channels.
class Flatten : public Op {
 public:
  Flatten(Plan& plan, const dnnl::memory& src);

  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_data(onednn::Context& context) override;

 private:
  dnnl::memory::desc plain_;  ///< layout of the images, NHWC
  onednn::Step forward_;
  onednn::Step backward_;
};

}  // namespace sluice::ops
