#pragma once

#include <optional>

#include "graph/operation.h"
#include "ops/convolution_parts.h"
#include "ops/op.h"
#include "ops/relu.h"

namespace sluice::ops {

struct Conv2DShape {
  operation::Convolution convolution;
  FusedRelu relu = {};  ///< max_value: only at inference

  /// Whether it is no depthwise one, and gives each pixel one result.
  bool is_plain(int kernel_size) const {
    return !convolution.depthwise && convolution.window.keeps_size(kernel_size);
  }
};

/// Convolution with fused ReLU. src is (N, C, H, W) in any layout, dst (N, filters, rows, columns)
/// in the layout that oneDNN prefers; kernel HWIO, bias (filters), or one without values.
class Conv2D : public Op {
 public:
  Conv2D(Plan& plan, const dnnl::memory& src, const Conv2DShape& shape, Parameter kernel,
         Parameter bias);

  bool has_parameters() const override { return kernel_.gradients != nullptr; }
  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void load_parameters(onednn::Context& context) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_weights(onednn::Context& context) override;
  void backward_data(onednn::Context& context) override;
  std::string algorithm() const override;

 private:
  void plan_backward_weights(Plan& plan);

  Conv2DShape shape_;
  Parameter kernel_;
  Bias bias_;
  dnnl::memory::desc kernel_layout_;  ///< Keras's
  dnnl::memory::dims kernel_dims_;
  dnnl::memory::dims strides_;
  dnnl::memory::dims padding_left_;
  dnnl::memory::dims padding_right_;
  dnnl::convolution_forward::primitive_desc description_;
  dnnl::memory blocked_src_;

  onednn::Step src_reorder_;  ///< unless splits_channels()
  onednn::Step kernel_reorder_;
  onednn::Step forward_;

  dnnl::memory diff_dst_;
  std::optional<ConvolutionParts> own_gradient_;  ///< replaces the two steps after it
  onednn::Step backward_weights_;
  onednn::Step diff_kernel_reorder_;
  onednn::Step backward_kernel_reorder_;
  onednn::Step backward_data_;
  onednn::Step diff_src_reorder_;
};

}  // namespace sluice::ops
