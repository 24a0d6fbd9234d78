#pragma once

#include "ops/conv2d.h"
#include "ops/convolution_parts.h"

namespace sluice::ops {

/// Conv2D by Winograd's minimal filtering: a quarter of the multiplications, rounding errors about
/// ten times as large. src and dst in blocks of as many channels as a vector has floats. If
/// `pooled`, with the max pooling after it: dst is (N, filters, H / 2, W / 2), and its full size is
/// never in memory.
class WinogradConv2D : public Op {
 public:
  /// Whether the processor, the layout and the sizes allow it, and it would not be slower.
  static bool suits(const dnnl::memory& src, const Conv2DShape& shape) {
    return convolution::winograd() != nullptr && suits(*convolution::winograd(), src, shape);
  }
  static bool suits(const convolution::Algorithm& algorithm, const dnnl::memory& src,
                    const Conv2DShape& shape) {
    return ConvolutionParts::suits(algorithm.gradient, src, shape.filters, shape.kernel_size);
  }

  /// Whether a pooling of that size can be part of it.
  static bool suits_pool(const dnnl::memory& src, int pool_size);

  WinogradConv2D(Plan& plan, const dnnl::memory& src, const Conv2DShape& shape, bool pooled,
                 Parameter kernel, Parameter bias,
                 const convolution::Algorithm& algorithm = *convolution::winograd());

  bool has_parameters() const override { return true; }
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
  Parameter bias_;
  const convolution::Algorithm& algorithm_;
  ConvolutionParts parts_;
  float* prepared_kernel_;
  std::vector<convolution::Largest> largest_;  ///< as dst, if pooled and trained
  const float* diff_dst_ = nullptr;
  float* diff_src_ = nullptr;
};

}  // namespace sluice::ops
