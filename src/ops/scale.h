#pragma once

#include <vector>

#include "onednn/planes.h"
#include "ops/op.h"
#include "ops/relu.h"

namespace sluice::ops {

/// A value for each channel as a tensor's layout has them: zeros where zeros fill the last block.
std::vector<float> by_lane(const onednn::Planes& planes, std::vector<float> by_channel);

/// dst = src * scale + offset, each by lane, then ReLU, and `then` of each plane's values in place
/// if there is one.
void scale_values(const onednn::Planes& planes, const float* src, const float* scale,
                  const float* offset, const FusedRelu& relu, float* dst,
                  void (*then)(float* values, std::size_t count) = nullptr);

/// dst = src * scale + offset, each a constant for each channel. src (N, C, H, W) or (N, C) in any
/// layout, dst in that of src.
class Scale : public Op {
 public:
  Scale(Plan& plan, const dnnl::memory& src, const std::vector<float>& scale,
        const std::vector<float>& offset);

  dnnl::memory plan_backward(Plan& plan, const dnnl::memory& diff_dst, bool need_diff_src) override;
  void forward(onednn::Context& context, const Pass& pass) override;
  void backward_data(onednn::Context& context) override;

 private:
  onednn::Planes planes_;
  std::vector<float> scale_;
  std::vector<float> offset_;
  std::vector<float> zeros_;
  float* diff_ = nullptr;
};

}  // namespace sluice::ops
