#pragma once

#include <cstdint>
#include <vector>

#include "onednn/planes.h"
#include "ops/op.h"

namespace sluice::ops {

/// Inverted dropout, in place: src and dst are the same memory. Does nothing at inference, nor to
/// rows of padding. Whether element e of image n of the whole batch is kept depends on the random
/// numbers of the pass, this dropout's number, e and n, where e counts in Keras's order (height,
/// width, channels): not on layout, threads or how the batch is divided.
class Dropout : public Op {
 public:
  /// `number` identifies the dropout in its network.
  Dropout(Plan& plan, const dnnl::memory& src, float rate, std::uint32_t number);

  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_data(onednn::Context& context) override;

  /// Mask of the last forward pass: (N, elements of an image), 1 for a kept element, in Keras's
  /// order.
  const std::vector<std::uint8_t>& kept() const { return kept_; }

 private:
  void draw(const Pass& pass);
  void apply(float* values) const;

  std::uint32_t threshold_;  ///< 16-bit random numbers below it drop the element
  float scale_;
  std::uint32_t number_;
  onednn::Planes planes_;
  std::vector<std::uint8_t> kept_;
  float* diff_ = nullptr;
  std::size_t rows_ = 0;  ///< of the last forward pass, if it was a training pass; else 0
};

}  // namespace sluice::ops
