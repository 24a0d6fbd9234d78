#pragma once

#include "ops/conv2d.h"
#include "ops/winograd/kernels.h"

namespace sluice::ops {

/// Conv2D with Winograd's minimal filtering: a quarter of the multiplications, rounding errors
/// about ten times as large. src and dst in blocks of as many channels as a vector has floats.
class WinogradConv2D : public Op {
 public:
  /// Whether this processor, the layout and the sizes allow it, and it would not be slower.
  static bool suits(const dnnl::memory& src, const Conv2DShape& shape);

  WinogradConv2D(Plan& plan, const dnnl::memory& src, const Conv2DShape& shape, Parameter kernel,
                 Parameter bias);

  bool has_parameters() const override { return true; }
  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void load_parameters(onednn::Context& context) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_weights(onednn::Context& context) override;
  void backward_data(onednn::Context& context) override;
  std::string algorithm() const override;

 private:
  /// Floats of scratch memory before that of `parts`.
  std::size_t scratch(int parts) const;
  /// Floats of the sums that a part makes: the kernel's gradient, then the bias's.
  std::size_t sums_size() const;
  /// Calls body(part, first tile, last tile) for every part, on as many threads.
  template <class Body>
  void for_each_part(const Body& body) const;

  winograd::Source diff_dst() const;

  bool relu_;
  Parameter kernel_;
  Parameter bias_;
  const winograd::Kernels& kernels_;
  winograd::Problem problem_;
  winograd::Problem turned_;  ///< of backward data: channels and filters change places
  int parts_;                 ///< of the tiles, one a thread
  float* transformed_kernel_;
  const float* diff_dst_ = nullptr;
  float* diff_src_ = nullptr;
};

}  // namespace sluice::ops
