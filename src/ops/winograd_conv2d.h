#pragma once

#include "ops/conv2d.h"
#include "ops/convolution_parts.h"

namespace sluice::ops {

/// Conv2D by Winograd's minimal filtering: a quarter of the multiplications, rounding errors about
/// ten times as large. src and dst are in blocks of one vector of channels. With `pooled` it
/// includes the max pooling after it: dst is (N, filters, H / 2, W / 2), rounded down, and the
/// full-size result is never stored.
class WinogradConv2D : public Op {
 public:
  /// Whether the processor, the layout and the sizes support it, and it is not slower.
  static bool suits(const dnnl::memory& src, const Conv2DShape& shape) {
    return convolution::winograd() != nullptr && suits(*convolution::winograd(), src, shape);
  }
  static bool suits(const convolution::Algorithm& algorithm, const dnnl::memory& src,
                    const Conv2DShape& shape) {
    return shape.is_plain(3) &&
           ConvolutionParts::suits(algorithm.gradient, src, shape.convolution.filters, 3);
  }

  /// Whether it can include this pooling.
  static bool suits_pool(const operation::Pooling& pooling);

  WinogradConv2D(Plan& plan, const dnnl::memory& src, const Conv2DShape& shape, bool pooled,
                 Parameter kernel, Parameter bias,
                 const convolution::Algorithm& algorithm = *convolution::winograd());

  bool has_parameters() const override { return kernel_.gradients != nullptr; }
  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void load_parameters(onednn::Context& context) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_weights(onednn::Context& context) override;
  void backward_data(onednn::Context& context) override;
  std::string algorithm() const override;

 private:
  convolution::Source diff_dst() const;

  bool relu_;
  bool pooled_;
  Parameter kernel_;
  Bias bias_;
  const convolution::Algorithm& algorithm_;
  ConvolutionParts parts_;
  float* prepared_kernel_;
  std::vector<convolution::Largest> largest_;  ///< shaped as dst; with pooling and training only
  const float* diff_dst_ = nullptr;
  float* diff_src_ = nullptr;
};

}  // namespace sluice::ops
