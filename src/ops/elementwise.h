#pragma once

#include "graph/operation.h"
#include "ops/op.h"

namespace sluice::ops {

/// dst = an activation of src, value by value; any layout. Softmax and linear are none of these.
class Elementwise : public Op {
 public:
  Elementwise(Plan& plan, const dnnl::memory& src, const operation::Activate& activate);

  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_data(onednn::Context& context) override;

 private:
  operation::Activate activate_;
  // Functions with exponentials are oneDNN's; the others are loops of our own.
  onednn::Step forward_;
  onednn::Step backward_;
  dnnl::eltwise_forward::primitive_desc description_;
  const float* diff_dst_ = nullptr;
  float* diff_src_ = nullptr;
};

}  // namespace sluice::ops
