#include "ops/reshape.h"

#include "base/fail.h"

namespace sluice::ops {

using onednn::Tag;

namespace {

dnnl::memory::desc plain_layout(const dnnl::memory::dims& dims) {
  return onednn::layout(dims, dims.size() == 4 ? Tag::nhwc : Tag::nc);
}

}  // namespace

Reshape::Reshape(Plan& plan, const dnnl::memory& src, const Shape& target)
    : Op(src, {}), plain_(plain_layout(onednn::dims_of(src))) {
  const auto dims = onednn::dims_of(src);
  std::int64_t elements = 1;
  for (std::size_t axis = 1; axis < dims.size(); ++axis) elements *= dims[axis];
  if (elements != element_count(target) || (target.size() != 1 && target.size() != 3)) {
    throw user_error("reshape", "{} cannot become {}", image_text(dims), to_string(target));
  }
  const auto plain = onednn::in_layout(plan.context, plan.workspace, src, plain_);
  forward_ = onednn::reorder(plan.context, src, plain);
  const dnnl::memory::dims result =
      target.size() == 1 ? dnnl::memory::dims{dims[0], elements}
                         : dnnl::memory::dims{dims[0], target[2], target[0], target[1]};
  dst_ = onednn::at(plan.context, plain_layout(result), onednn::data(plain));
}

dnnl::memory Reshape::plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool) {
  const auto plain = onednn::at(plan.context, plain_, onednn::data(diff_dst));
  if (src_.get_desc() == plain_) return plain;
  const auto diff_src = plan.take_gradient(src_.get_desc());
  backward_ = onednn::reorder(plan.context, plain, diff_src);
  return diff_src;
}

void Reshape::forward(onednn::Context& context, const Pass&) {
  forward_.run(context);
}

void Reshape::backward_data(onednn::Context& context) {
  backward_.run(context);
}

}  // namespace sluice::ops
