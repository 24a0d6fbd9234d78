#pragma once

#include <optional>

#include "ops/convolution_parts.h"
#include "ops/op.h"

namespace sluice::ops {

struct Conv2DShape {
  int filters;
  int kernel_size;
  bool relu;
};

/// Convolution with a square kernel, stride 1, 'same' padding and fused ReLU. src is (N, C, H, W)
/// in any layout, dst (N, filters, H, W) in the layout that oneDNN prefers; kernel HWIO, bias
/// (filters).
class Conv2D : public Op {
 public:
  Conv2D(Plan& plan, const dnnl::memory& src, const Conv2DShape& shape, Parameter kernel,
         Parameter bias);

  bool has_parameters() const override { return true; }
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
  Parameter bias_;
  dnnl::memory::dims kernel_dims_;
  dnnl::memory::dims padding_left_;
  dnnl::memory::dims padding_right_;
  dnnl::convolution_forward::primitive_desc description_;
  dnnl::memory blocked_src_;

  onednn::Step src_reorder_;
  onednn::Step kernel_reorder_;
  onednn::Step forward_;

  dnnl::memory diff_dst_;
  std::optional<ConvolutionParts> own_gradient_;  ///< replaces the two steps after it
  onednn::Step backward_weights_;
  onednn::Step diff_kernel_reorder_;
  onednn::Step backward_kernel_reorder_;
  onednn::Step backward_data_;
};

}  // namespace sluice::ops
