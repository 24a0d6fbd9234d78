#pragma once

#include "ops/op.h"

namespace sluice::ops {

/// dst has the values of src, for an operation that works in place on values that others read, too.
class Copy : public Op {
 public:
  Copy(Plan& plan, const dnnl::memory& src);

  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_data(onednn::Context&) override {}
};

}  // namespace sluice::ops
