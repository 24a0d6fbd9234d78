#include "ops/max_pooling2d.h"

#include "base/fail.h"

namespace sluice::ops {

namespace {

const dnnl::memory::dims kNone{0, 0};

}  // namespace

MaxPooling2D::MaxPooling2D(Plan& plan, const dnnl::memory& src, int pool_size)
    : Op(src, {}), pool_size_(pool_size) {
  const auto dims = onednn::dims_of(src);
  if (dims.size() != 4 || dims[2] < pool_size || dims[3] < pool_size) {
    throw user_error("max_pooling2d", "a pool of {0}x{0} does not fit into {1}", pool_size,
                     image_text(dims));
  }
  const dnnl::memory::dims window{pool_size, pool_size};
  description_ = onednn::describe<onednn::PoolingForward>(
      plan.context, {},
      plan.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference,
      dnnl::algorithm::pooling_max, src.get_desc(),
      onednn::layout({dims[0], dims[1], dims[2] / pool_size, dims[3] / pool_size},
                     onednn::Tag::any),
      window, window, kNone, kNone, kNone);
  dst_ = plan.take(description_.dst_desc());
  std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, dst_}};
  if (plan.training) {
    argmax_ = plan.take(description_.workspace_desc());
    arguments.emplace(DNNL_ARG_WORKSPACE, argmax_);
  }
  forward_ = {plan.context, onednn::PoolingForward(description_), std::move(arguments)};
}

dnnl::memory MaxPooling2D::plan_backward(Plan& plan, const dnnl::memory& diff_dst,
                                         bool need_diff_src) {
  if (!need_diff_src) return {};
  const dnnl::memory::dims window{pool_size_, pool_size_};
  const auto backward = onednn::describe_backward<onednn::PoolingBackward>(
      plan.context, description_, dnnl::algorithm::pooling_max, src_.get_desc(),
      diff_dst.get_desc(), window, window, kNone, kNone, kNone);
  const auto diff_src = plan.take_gradient(src_.get_desc());
  backward_ = {plan.context,
               onednn::PoolingBackward(backward),
               {{DNNL_ARG_DIFF_DST, diff_dst},
                {DNNL_ARG_WORKSPACE, argmax_},
                {DNNL_ARG_DIFF_SRC, diff_src}}};
  return diff_src;
}

void MaxPooling2D::forward(onednn::Context& context, const Pass&) {
  forward_.run(context);
}

void MaxPooling2D::backward(onednn::Context& context) {
  backward_.run(context);
}

}  // namespace sluice::ops
