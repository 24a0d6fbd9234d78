#pragma once

#include "graph/operation.h"
#include "ops/op.h"

namespace sluice::ops {

/// Pools of any window, by oneDNN: the largest value, or the mean of those in the image. src
/// (N, C, H, W), dst (N, C, rows, columns) in the layout of src. MaxPooling2D is faster where its
/// windows suit it.
class Pooling2D : public Op {
 public:
  Pooling2D(Plan& plan, const dnnl::memory& src, const operation::Pooling& pooling);

  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_data(onednn::Context& context) override;

 private:
  dnnl::algorithm algorithm_;
  dnnl::memory::dims size_, strides_, padding_left_, padding_right_;
  dnnl::pooling_forward::primitive_desc description_;
  dnnl::memory where_;  ///< of the largest values, for the backward pass
  onednn::Step forward_;
  onednn::Step backward_;
};

}  // namespace sluice::ops
