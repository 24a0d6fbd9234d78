#include "ops/pooling2d.h"

#include "base/fail.h"
#include "onednn/describe.h"
#include "onednn/planes.h"

namespace sluice::ops {

Pooling2D::Pooling2D(Plan& plan, const dnnl::memory& src, const operation::Pooling& pooling)
    : Op(src, {}) {
  const operation::Window& window = pooling.window;
  auto dims = onednn::dims_of(src);
  const std::int64_t rows = dims.size() == 4 ? window.rows(dims[2]) : 0;
  const std::int64_t columns = dims.size() == 4 ? window.columns(dims[3]) : 0;
  if (rows == 0 || columns == 0) {
    throw user_error("pooling2d", "a pool of {}x{} does not fit into {}", window.size.height,
                     window.size.width, image_text(dims));
  }
  dims[2] = rows;
  dims[3] = columns;
  algorithm_ = pooling.kind == operation::Pooling::Kind::max
                   ? dnnl::algorithm::pooling_max
                   : dnnl::algorithm::pooling_avg_exclude_padding;
  size_ = {window.size.height, window.size.width};
  strides_ = {window.strides.height, window.strides.width};
  padding_left_ = {window.top, window.left};
  padding_right_ = {window.bottom, window.right};
  dst_ = plan.take(onednn::layout(dims, onednn::Planes(src).tag));
  description_ =
      onednn::describe_pooling(plan.context, plan.training, algorithm_, src.get_desc(),
                               dst_.get_desc(), strides_, size_, padding_left_, padding_right_);
  std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, dst_}};
  if (plan.training && pooling.kind == operation::Pooling::Kind::max) {
    where_ = onednn::take(plan.context, plan.workspace, description_.workspace_desc());
    arguments[DNNL_ARG_WORKSPACE] = where_;
  }
  forward_ = {plan.context, dnnl::pooling_forward(description_), std::move(arguments)};
}

dnnl::memory Pooling2D::plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool) {
  const auto diff_src = plan.take_gradient(src_.get_desc());
  const auto backward = onednn::describe_pooling_backward(
      plan.context, description_, algorithm_, src_.get_desc(), diff_dst.get_desc(), strides_, size_,
      padding_left_, padding_right_);
  std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_DIFF_DST, diff_dst},
                                                  {DNNL_ARG_DIFF_SRC, diff_src}};
  if (where_) arguments[DNNL_ARG_WORKSPACE] = where_;
  backward_ = {plan.context, dnnl::pooling_backward(backward), std::move(arguments)};
  return diff_src;
}

void Pooling2D::forward(onednn::Context& context, const Pass&) {
  forward_.run(context);
}

void Pooling2D::backward_data(onednn::Context& context) {
  backward_.run(context);
}

}  // namespace sluice::ops
