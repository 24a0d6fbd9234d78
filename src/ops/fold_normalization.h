#pragma once

#include "ops/batch_normalization.h"

namespace sluice::ops {

/// Makes, for inference, the parameters of a convolution or an inner product that includes the
/// batch normalisation after it: kernel * scale and (bias - mean) * scale + beta, where scale is
/// gamma / sqrt(variance + epsilon). It computes them when parameters are loaded, and must stand
/// before the operation that reads them; its result is its source.
class FoldNormalization : public Op {
 public:
  /// The last axis of the kernel's `kernel_elements` has `filters` places.
  FoldNormalization(Plan& plan, const dnnl::memory& src, const Parameter& kernel,
                    std::size_t kernel_elements, const Parameter& bias, std::size_t filters,
                    const operation::BatchNormalization& operation,
                    const BatchNormalizationParameters& parameters);

  Parameter kernel() const { return {folded_kernel_}; }
  Parameter bias() const { return {folded_bias_}; }

  void load_parameters(onednn::Context& context) override;
  void forward(onednn::Context&, const Pass&) override {}
  void backward_data(onednn::Context&) override {}

 private:
  Parameter kernel_, bias_;
  std::size_t rows_;  ///< of the kernel, `filters` values each
  std::size_t filters_;
  operation::BatchNormalization operation_;
  BatchNormalizationParameters parameters_;
  float* folded_kernel_;
  float* folded_bias_;
};

}  // namespace sluice::ops
