#pragma once

#include <vector>

#include "onednn/planes.h"
#include "ops/op.h"

namespace sluice::ops {

/// Max pooling with stride equal to the pool size and 'valid' padding: a remainder at the lower or
/// right edge is dropped. src (N, C, H, W), dst (N, C, H / pool, W / pool) in the layout of src.
/// The first of equal values gets the gradient.
class MaxPooling2D : public Op {
 public:
  MaxPooling2D(Plan& plan, const dnnl::memory& src, int pool_size);

  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_data(onednn::Context& context) override;

 private:
  std::size_t pool_;
  onednn::Planes planes_;            ///< layout of src
  std::vector<std::int32_t> where_;  ///< index of a pool's largest value; shaped as dst
  const float* diff_dst_ = nullptr;
  float* diff_src_ = nullptr;
};

}  // namespace sluice::ops
