#pragma once

#include "ops/op.h"

namespace sluice::ops {

/// Softmax over the last axis of src (N, C). dst is new memory, so that the loss can read the
/// logits.
class Softmax : public Op {
 public:
  Softmax(Plan& plan, const dnnl::memory& src);

  bool reads_its_result() const override { return true; }
  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  /// Works in place: diff_dst becomes diff_src.
  void backward_data(onednn::Context& context) override;

 private:
  float* diff_ = nullptr;
};

}  // namespace sluice::ops
