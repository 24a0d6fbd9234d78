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
};

}  // namespace sluice::ops
