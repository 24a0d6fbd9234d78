#include "ops/relu.h"

#include "base/parallel.h"
#include "base/simd.h"

namespace sluice::ops {

namespace {

SLUICE_VECTORISED void clip(float* values, std::size_t count, float max_value) {
  for (std::size_t i = 0; i < count; ++i) {
    const float value = values[i];
    values[i] = value <= 0 ? 0.f : value > max_value ? max_value : value;
  }
}

SLUICE_VECTORISED void clip_backward(const float* __restrict dst, std::size_t count,
                                     float* __restrict diff_dst, float max_value) {
  for (std::size_t i = 0; i < count; ++i) {
    diff_dst[i] = ((dst[i] > 0) & (dst[i] < max_value)) ? diff_dst[i] : 0.f;
  }
}

}  // namespace

void relu(float* values, std::size_t count, float max_value) {
  clip(values, count, max_value);
}

void relu_backward(const float* dst, std::size_t count, float* diff_dst, float max_value) {
  clip_backward(dst, count, diff_dst, max_value);
}

void relu(const dnnl::memory& dst, const FusedRelu& fused) {
  if (!fused.applied) return;
  float* values = onednn::data(dst);
  parallel_for(onednn::stored(dst), kGrainOfValues, [&](std::size_t begin, std::size_t end) {
    relu(values + begin, end - begin, fused.max_value);
  });
}

void relu_backward(const dnnl::memory& dst, const dnnl::memory& diff_dst, const FusedRelu& fused) {
  if (!fused.applied) return;
  const float* values = onednn::data(dst);
  float* gradients = onednn::data(diff_dst);
  parallel_for(onednn::stored(dst), kGrainOfValues, [&](std::size_t begin, std::size_t end) {
    relu_backward(values + begin, end - begin, gradients + begin, fused.max_value);
  });
}

}  // namespace sluice::ops
