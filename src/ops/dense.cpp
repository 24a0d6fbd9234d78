#include "ops/dense.h"

#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "onednn/describe.h"
#include "ops/relu.h"

namespace sluice::ops {

using onednn::Tag;

Dense::Dense(Plan& plan, const dnnl::memory& src, int units, bool relu, Parameter kernel,
             Parameter bias)
    : Op(src, {}), relu_(relu), kernel_(kernel), bias_(bias, units) {
  const auto dims = onednn::dims_of(src);
  if (dims.size() != 2) {
    throw user_error("dense", "takes one axis, not {}: put a Flatten before it", image_text(dims));
  }
  // Keras's (in, units) is oneDNN's (units, in) in the layout 'io'. In this plain layout the 8 MB
  // of the lab's dense1 need no reorder in either direction, and GEMM packs them during the
  // product.
  description_ = onednn::describe<dnnl::inner_product_forward>(
      plan.context, {},
      plan.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference,
      src.get_desc(), onednn::layout({units, dims[1]}, Tag::io), onednn::layout({units}, Tag::x),
      onednn::layout({dims[0], units}, Tag::nc));
  dst_ = plan.take(description_.dst_desc());
  forward_ = {
      plan.context,
      dnnl::inner_product_forward(description_),
      {{DNNL_ARG_SRC, src},
       {DNNL_ARG_WEIGHTS, onednn::at(plan.context, description_.weights_desc(), kernel.values)},
       {DNNL_ARG_BIAS, onednn::at(plan.context, description_.bias_desc(), bias_.values())},
       {DNNL_ARG_DST, dst_}}};
}

dnnl::memory Dense::plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) {
  diff_dst_ = diff_dst;
  if (has_parameters()) plan_backward_weights(plan);
  if (!need_diff_src) return {};

  // With AVX-512, matmul takes half the time of inner_product's backward data.
  const dnnl::memory::dims turned{onednn::dims_of(diff_dst)[1], onednn::dims_of(src_)[1]};
  const auto kernel = onednn::at(plan.context, onednn::layout(turned, Tag::ba), kernel_.values);
  const auto diff_src = plan.take_gradient(src_.get_desc());
  backward_data_ = {
      plan.context,
      dnnl::matmul(onednn::describe<dnnl::matmul>(plan.context, {}, diff_dst.get_desc(),
                                                  kernel.get_desc(), diff_src.get_desc())),
      {{DNNL_ARG_SRC, diff_dst}, {DNNL_ARG_WEIGHTS, kernel}, {DNNL_ARG_DST, diff_src}}};
  return diff_src;
}

void Dense::plan_backward_weights(Plan& plan) {
  const auto kernel_desc = description_.weights_desc();
  const auto weights = onednn::describe_backward<dnnl::inner_product_backward_weights>(
      plan.context, description_, src_.get_desc(), kernel_desc, description_.bias_desc(),
      diff_dst_.get_desc());
  backward_weights_ = {
      plan.context,
      dnnl::inner_product_backward_weights(weights),
      {{DNNL_ARG_SRC, src_},
       {DNNL_ARG_DIFF_DST, diff_dst_},
       {DNNL_ARG_DIFF_WEIGHTS, onednn::at(plan.context, kernel_desc, kernel_.gradients)},
       {DNNL_ARG_DIFF_BIAS,
        onednn::at(plan.context, weights.diff_bias_desc(), bias_.gradients())}}};
}

void Dense::forward(onednn::Context& context, const Pass&) {
  forward_.run(context);
  relu(dst_, relu_);
}

std::string Dense::algorithm() const {
  return description_.impl_info_str();
}

void Dense::backward_weights(onednn::Context& context) {
  relu_backward(dst_, diff_dst_, relu_);
  float* to = std::exchange(give_to_, nullptr);
  if (to == nullptr) return backward_weights_.run(context);
  to = std::copy_n(onednn::data(src_), given_rows_ * inputs(), to);
  std::copy_n(onednn::data(diff_dst_), given_rows_ * units(), to);
}

std::span<float> Dense::gradients() const {
  const std::int64_t kernel = inputs() * units();
  const bool with_bias = bias_.gradients() == kernel_.gradients + kernel;
  return {kernel_.gradients, static_cast<std::size_t>(kernel + (with_bias ? units() : 0))};
}

void Dense::give_rows(int rows, float* to) {
  given_rows_ = rows;
  give_to_ = to;
}

void Dense::backward_weights_of(onednn::Context& context, int rows, const float* from) {
  std::copy_n(from, rows * inputs(), onednn::data(src_));
  float* const diff = onednn::data(diff_dst_);
  float* const padding = std::copy_n(from + rows * inputs(), rows * units(), diff);
  std::fill(padding, diff + onednn::stored(diff_dst_), 0.F);
  backward_weights_.run(context);
}

void Dense::backward_data(onednn::Context& context) {
  backward_data_.run(context);
}

}  // namespace sluice::ops
