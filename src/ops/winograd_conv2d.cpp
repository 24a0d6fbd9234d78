#include "ops/winograd_conv2d.h"

namespace sluice::ops {

bool WinogradConv2D::suits_pool(const operation::Pooling& pooling) {
  return pooling.kind == operation::Pooling::Kind::max && pooling.window == operation::Window{2, 2};
}

WinogradConv2D::WinogradConv2D(Plan& plan, const dnnl::memory& src, const Conv2DShape& shape,
                               bool pooled, Parameter kernel, Parameter bias,
                               const convolution::Algorithm& algorithm)
    : Op(src, {}),
      relu_(shape.relu.applied),
      pooled_(pooled),
      kernel_(kernel),
      bias_(bias, shape.convolution.filters),
      algorithm_(algorithm),
      parts_(plan, algorithm.gradient, src, shape.convolution.filters, 3) {
  auto dims = onednn::dims_of(src);
  dims[1] = shape.convolution.filters;
  if (pooled) {
    dims[2] /= 2;
    dims[3] /= 2;
  }
  dst_ = plan.take(onednn::in_blocks(dims, algorithm.gradient.width));
  prepared_kernel_ =
      plan.workspace.take(algorithm.gradient.sums_floats(parts_.problem()) * sizeof(float));
}

dnnl::memory WinogradConv2D::plan_backward(Plan& plan, const dnnl::memory& diff_dst,
                                           bool need_diff_src) {
  diff_dst_ = onednn::data(diff_dst);
  if (pooled_) largest_.resize(onednn::stored(dst_));
  if (!need_diff_src) return {};
  const auto diff_src = plan.take_gradient(src_.get_desc());
  diff_src_ = onednn::data(diff_src);
  return diff_src;
}

void WinogradConv2D::load_parameters(onednn::Context&) {
  parallel_for(parts_.problem().channels, 4, [&](std::size_t begin, std::size_t end) {
    algorithm_.prepare_kernel(parts_.problem(), kernel_.values, prepared_kernel_,
                              static_cast<int>(begin), static_cast<int>(end));
  });
}

void WinogradConv2D::forward(onednn::Context& context, const Pass&) {
  const convolution::Result result{onednn::data(dst_), bias_.values(), relu_, pooled_,
                                   largest_.empty() ? nullptr : largest_.data()};
  parts_.for_each(context, [&](float* scratch, int first, int last) {
    algorithm_.convolve(parts_.problem(), {onednn::data(src_)}, prepared_kernel_, result, scratch,
                        first, last);
  });
}

convolution::Source WinogradConv2D::diff_dst() const {
  if (pooled_) return {diff_dst_, nullptr, largest_.data()};
  return {diff_dst_, relu_ ? onednn::data(dst_) : nullptr};
}

void WinogradConv2D::backward_weights(onednn::Context& context) {
  if (!has_parameters()) return;
  parts_.run_gradient(context, onednn::data(src_), diff_dst(), kernel_, bias_);
}

void WinogradConv2D::backward_data(onednn::Context& context) {
  float* turned = parts_.prepared_kernel(context);
  parallel_for(parts_.problem().filters, 4, [&](std::size_t begin, std::size_t end) {
    algorithm_.prepare_rotated_kernel(parts_.problem(), kernel_.values, turned,
                                      static_cast<int>(begin), static_cast<int>(end));
  });
  const convolution::Problem problem = parts_.problem().transposed();
  parts_.for_each(context, [&](float* scratch, int first, int last) {
    algorithm_.convolve(problem, diff_dst(), turned, {diff_src_}, scratch, first, last);
  });
}

std::string WinogradConv2D::algorithm() const {
  return std::string(algorithm_.name) + (pooled_ ? ", pooled" : "");
}

}  // namespace sluice::ops
