#include "ops/conv2d.h"

#include "base/fail.h"
#include "onednn/describe.h"
#include "ops/relu.h"
#include "ops/split_channels.h"

namespace sluice::ops {

using onednn::Tag;

namespace {

using Forward = dnnl::convolution_forward::primitive_desc;

bool is_reference(const Forward& description) {
  return std::string_view(description.impl_info_str()).starts_with("ref");
}

/// Whether the convolution itself, or one that reads its result, runs in oneDNN's reference kernel:
/// its other kernels do not read blocks that zeros fill, nor write another kind of layout than they
/// read. AVX-512's read 24 channels in blocks of 16, but not 8.
bool is_slow(const Forward& description, const dnnl::memory::dims& dst_dims) {
  const auto filters = dst_dims[1];
  const bool fills =
      description.dst_desc().get_size() > onednn::layout(dst_dims, Tag::nhwc).get_size();
  return is_reference(description) || (fills && (filters < 16 || filters % 8 != 0));
}

}  // namespace

Conv2D::Conv2D(Plan& plan, const dnnl::memory& src, const Conv2DShape& shape, Parameter kernel,
               Parameter bias)
    : Op(src, {}), shape_(shape), kernel_(kernel), bias_(bias, shape.convolution.filters) {
  const auto dims = onednn::dims_of(src);
  if (dims.size() != 4) {
    throw user_error("conv2d", "takes images (height, width, channels), not {}", image_text(dims));
  }
  const operation::Window& window = shape.convolution.window;
  const int filters = shape.convolution.filters;
  if (shape.convolution.depthwise) {  // oneDNN's groups, of one channel each
    kernel_dims_ = {filters, 1, 1, window.size.height, window.size.width};
    kernel_layout_ = onednn::layout(kernel_dims_, Tag::hwigo);
  } else {
    kernel_dims_ = {filters, dims[1], window.size.height, window.size.width};
    kernel_layout_ = onednn::layout(kernel_dims_, Tag::hwio);
  }
  strides_ = {window.strides.height, window.strides.width};
  padding_left_ = {window.top, window.left};
  padding_right_ = {window.bottom, window.right};

  const auto any = [](const dnnl::memory::dims& d) { return onednn::layout(d, Tag::any); };
  // The first convolution must choose its source's layout: with NHWC, oneDNN 2.6 may use a
  // reference kernel that is hundreds of times slower. The others read the layout that the layer
  // before wrote.
  const bool first = dims[1] <= 4;
  // Winograd's convolutions read blocks, but oneDNN may choose to write NHWC. From NHWC to blocks
  // it has only the reference kernel.
  const auto* winograd = plan.winograd ? convolution::winograd() : nullptr;
  const int width = winograd != nullptr ? winograd->gradient.width : 0;
  const dnnl::memory::dims dst_dims{dims[0], filters, window.rows(dims[2]),
                                    window.columns(dims[3])};
  const bool in_blocks = winograd != nullptr && filters % width == 0 &&
                         (first || src.get_desc() == onednn::in_blocks(dims, width));
  const auto describe = [&](const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
    return onednn::describe<dnnl::convolution_forward>(
        plan.context,
        shape.relu.applied ? onednn::fused_relu(shape.relu.max_value) : dnnl::primitive_attr(),
        plan.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference,
        dnnl::algorithm::convolution_direct, from, any(kernel_dims_),
        onednn::layout({filters}, Tag::x), to, strides_, padding_left_, padding_right_);
  };
  description_ = describe(first ? any(dims) : src.get_desc(),
                          in_blocks ? onednn::in_blocks(dst_dims, width) : any(dst_dims));
  if (is_slow(description_, dst_dims)) {
    const Forward plain =
        describe(onednn::layout(dims, Tag::nhwc), onednn::layout(dst_dims, Tag::nhwc));
    if (!is_reference(plain)) description_ = plain;
  }

  blocked_src_ = onednn::in_layout(plan.context, plan.workspace, src, description_.src_desc());
  if (!splits_channels(src, blocked_src_)) {
    src_reorder_ = onednn::reorder(plan.context, src, blocked_src_);
  }
  const auto plain_kernel = onednn::at(plan.context, kernel_layout_, kernel.values);
  const auto blocked_kernel =
      onednn::in_layout(plan.context, plan.workspace, plain_kernel, description_.weights_desc());
  kernel_reorder_ = onednn::reorder(plan.context, plain_kernel, blocked_kernel);
  dst_ = plan.take(description_.dst_desc());
  forward_ = {plan.context,
              dnnl::convolution_forward(description_),
              {{DNNL_ARG_SRC, blocked_src_},
               {DNNL_ARG_WEIGHTS, blocked_kernel},
               {DNNL_ARG_BIAS, onednn::at(plan.context, description_.bias_desc(), bias_.values())},
               {DNNL_ARG_DST, dst_}}};
}

dnnl::memory Conv2D::plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) {
  diff_dst_ = diff_dst;
  if (has_parameters()) plan_backward_weights(plan);
  if (!need_diff_src) return {};

  const auto data = onednn::describe_backward<dnnl::convolution_backward_data>(
      plan.context, description_, dnnl::algorithm::convolution_direct,
      blocked_src_ == src_ ? src_.get_desc() : onednn::layout(onednn::dims_of(src_), Tag::any),
      onednn::layout(kernel_dims_, Tag::any), diff_dst.get_desc(), strides_, padding_left_,
      padding_right_);
  const auto kernel = onednn::at(plan.context, kernel_layout_, kernel_.values);
  const auto blocked_kernel =
      onednn::in_layout(plan.context, plan.workspace, kernel, data.weights_desc());
  backward_kernel_reorder_ = onednn::reorder(plan.context, kernel, blocked_kernel);
  const auto diff_src = plan.take_gradient(src_.get_desc());
  const auto blocked_diff =
      onednn::in_layout(plan.context, plan.workspace, diff_src, data.diff_src_desc());
  diff_src_reorder_ = onednn::reorder(plan.context, blocked_diff, diff_src);
  backward_data_ = {plan.context,
                    dnnl::convolution_backward_data(data),
                    {{DNNL_ARG_DIFF_DST, diff_dst},
                     {DNNL_ARG_WEIGHTS, blocked_kernel},
                     {DNNL_ARG_DIFF_SRC, blocked_diff}}};
  return diff_src;
}

void Conv2D::plan_backward_weights(Plan& plan) {
  const auto* own = convolution::direct_gradient();
  const int filters = shape_.convolution.filters;
  const int size = shape_.convolution.window.size.height;
  if (own != nullptr && shape_.is_plain(size) &&
      ConvolutionParts::suits(*own, src_, filters, size) &&
      diff_dst_.get_desc() == onednn::in_blocks(onednn::dims_of(dst_), own->width)) {
    own_gradient_.emplace(plan, *own, src_, filters, size);
    return;
  }
  const auto weights = onednn::describe_backward<dnnl::convolution_backward_weights>(
      plan.context, description_, dnnl::algorithm::convolution_direct, blocked_src_.get_desc(),
      onednn::layout(kernel_dims_, Tag::any), description_.bias_desc(), diff_dst_.get_desc(),
      strides_, padding_left_, padding_right_);
  const auto plain_diff = onednn::at(plan.context, kernel_layout_, kernel_.gradients);
  const auto blocked_diff =
      onednn::in_layout(plan.context, plan.workspace, plain_diff, weights.diff_weights_desc());
  backward_weights_ = {plan.context,
                       dnnl::convolution_backward_weights(weights),
                       {{DNNL_ARG_SRC, blocked_src_},
                        {DNNL_ARG_DIFF_DST, diff_dst_},
                        {DNNL_ARG_DIFF_WEIGHTS, blocked_diff},
                        {DNNL_ARG_DIFF_BIAS,
                         onednn::at(plan.context, weights.diff_bias_desc(), bias_.gradients())}}};
  diff_kernel_reorder_ = onednn::reorder(plan.context, blocked_diff, plain_diff);
}

void Conv2D::load_parameters(onednn::Context& context) {
  kernel_reorder_.run(context);
}

void Conv2D::forward(onednn::Context& context, const Pass&) {
  if (splits_channels(src_, blocked_src_)) split_channels(src_, blocked_src_);
  src_reorder_.run(context);
  forward_.run(context);
}

void Conv2D::backward_weights(onednn::Context& context) {
  if (own_gradient_) {
    own_gradient_->run_gradient(
        context, onednn::data(src_),
        {onednn::data(diff_dst_), shape_.relu.applied ? onednn::data(dst_) : nullptr}, kernel_,
        bias_);
    return;
  }
  relu_backward(dst_, diff_dst_, shape_.relu);
  backward_weights_.run(context);
  diff_kernel_reorder_.run(context);
}

std::string Conv2D::algorithm() const {
  return fmt::format("direct, {}", description_.impl_info_str());
}

void Conv2D::backward_data(onednn::Context& context) {
  if (own_gradient_) relu_backward(dst_, diff_dst_, shape_.relu);
  backward_kernel_reorder_.run(context);
  backward_data_.run(context);
  diff_src_reorder_.run(context);
}

}  // namespace sluice::ops
