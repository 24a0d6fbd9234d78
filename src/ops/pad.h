#pragma once

#include "graph/operation.h"
#include "onednn/planes.h"
#include "ops/op.h"

namespace sluice::ops {

/// Zeros around images. src (N, C, H, W), dst larger in the layout of src.
class Pad : public Op {
 public:
  Pad(Plan& plan, const dnnl::memory& src, const operation::Pad& pad);

  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_data(onednn::Context& context) override;

 private:
  onednn::Planes inner_;
  onednn::Planes outer_;
  std::size_t top_;
  std::size_t left_;
  const float* diff_dst_ = nullptr;
  float* diff_src_ = nullptr;
};

}  // namespace sluice::ops
