#include "ops/relu.h"

#include "base/parallel.h"
#include "base/simd.h"

namespace sluice::ops {

namespace {

SLUICE_VECTORISED void cut(float* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) values[i] = values[i] <= 0 ? 0.f : values[i];
}

SLUICE_VECTORISED void mask(const float* dst, float* diff_dst, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) diff_dst[i] = dst[i] > 0 ? diff_dst[i] : 0.f;
}

}  // namespace

void relu(const dnnl::memory& dst) {
  float* values = onednn::data(dst);
  parallel_for(onednn::stored(dst), kGrainOfValues,
               [=](std::size_t begin, std::size_t end) { cut(values + begin, end - begin); });
}

void relu_backward(const dnnl::memory& dst, const dnnl::memory& diff_dst) {
  const float* values = onednn::data(dst);
  float* gradients = onednn::data(diff_dst);
  parallel_for(onednn::stored(dst), kGrainOfValues, [=](std::size_t begin, std::size_t end) {
    mask(values + begin, gradients + begin, end - begin);
  });
}

}  // namespace sluice::ops
