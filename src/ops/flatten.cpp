#include "ops/flatten.h"

#include "base/fail.h"

namespace sluice::ops {

using onednn::Tag;

Flatten::Flatten(Plan& plan, const dnnl::memory& src) : Op(src, {}) {
  const auto dims = onednn::dims_of(src);
  if (dims.size() != 4) {
    throw user_error("flatten", "takes images (height, width, channels), not {}", image_text(dims));
  }
  plain_ = onednn::layout(dims, Tag::nhwc);
  const auto plain = onednn::in_layout(plan.context, plan.workspace, src, plain_);
  forward_ = onednn::reorder(plan.context, src, plain);
  dst_ = onednn::at(plan.context, onednn::layout({dims[0], dims[1] * dims[2] * dims[3]}, Tag::nc),
                    onednn::data(plain));
}

dnnl::memory Flatten::plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool) {
  const auto plain = onednn::at(plan.context, plain_, onednn::data(diff_dst));
  if (src_.get_desc() == plain_) return plain;
  const auto diff_src = plan.take_gradient(src_.get_desc());
  backward_ = onednn::reorder(plan.context, plain, diff_src);
  return diff_src;
}

void Flatten::forward(onednn::Context& context, const Pass&) {
  forward_.run(context);
}

void Flatten::backward_data(onednn::Context& context) {
  backward_.run(context);
}

}  // namespace sluice::ops
