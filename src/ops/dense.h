#pragma once

#include "ops/op.h"

namespace sluice::ops {

/// Computes dst = src kernel + bias, with fused ReLU. src (N, in), kernel (in, units), bias
/// (units) or one without values, dst (N, units), all in plain layouts.
class Dense : public Op {
 public:
  Dense(Plan& plan, const dnnl::memory& src, int units, bool relu, Parameter kernel,
        Parameter bias);

  bool has_parameters() const override { return kernel_.gradients != nullptr; }
  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_weights(onednn::Context& context) override;
  void backward_data(onednn::Context& context) override;
  std::string algorithm() const override;

  std::int64_t inputs() const { return onednn::dims_of(src_)[1]; }
  std::int64_t units() const { return onednn::dims_of(dst_)[1]; }
  /// Gradients of the kernel, and of the bias if they come next in memory, as those of a layer do.
  std::span<float> gradients() const;
  /// The next backward_weights() computes no gradients. Instead it copies the first `rows` rows of
  /// src and of the gradient of src kernel + bias: (rows, in) and then (rows, units).
  void give_rows(int rows, float* to);
  /// backward_weights() of such rows. Overwrites src.
  void backward_weights_of(onednn::Context& context, int rows, const float* from);

 private:
  void plan_backward_weights(Plan& plan);

  bool relu_;
  Parameter kernel_;
  Bias bias_;
  dnnl::inner_product_forward::primitive_desc description_;
  dnnl::memory diff_dst_;
  onednn::Step forward_;
  onednn::Step backward_weights_;
  onednn::Step backward_data_;
  int given_rows_ = 0;
  float* give_to_ = nullptr;  ///< null: compute gradients
};

}  // namespace sluice::ops
