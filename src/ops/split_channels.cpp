#include "ops/split_channels.h"

#include "base/parallel.h"
#include "base/simd.h"

namespace sluice::ops {

namespace {

template <std::size_t kChannels>
[[gnu::always_inline]] inline void split_pixels(const float* __restrict src, std::size_t pixels,
                                                float* __restrict dst) {
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < kChannels; ++c) dst[c * pixels + i] = src[kChannels * i + c];
  }
}

SLUICE_VECTORISED void split_image(const float* src, std::size_t pixels, std::size_t channels,
                                   float* dst) {
  if (channels == 2) return split_pixels<2>(src, pixels, dst);
  if (channels == 3) return split_pixels<3>(src, pixels, dst);
  split_pixels<4>(src, pixels, dst);
}

}  // namespace

bool splits_channels(const dnnl::memory& src, const dnnl::memory& dst) {
  const auto dims = onednn::dims_of(src);
  return dims.size() == 4 && dims[1] >= 2 && dims[1] <= 4 &&
         src.get_desc() == onednn::layout(dims, onednn::Tag::nhwc) &&
         dst.get_desc() == onednn::layout(dims, onednn::Tag::nchw);
}

void split_channels(const dnnl::memory& src, const dnnl::memory& dst) {
  const auto dims = onednn::dims_of(src);
  const auto channels = static_cast<std::size_t>(dims[1]);
  const auto pixels = static_cast<std::size_t>(dims[2] * dims[3]);
  const std::size_t image = channels * pixels;
  const float* from = onednn::data(src);
  float* to = onednn::data(dst);
  parallel_for(static_cast<std::size_t>(dims[0]), 1 + kGrainOfValues / image,
               [=](std::size_t begin, std::size_t end) {
                 for (std::size_t i = begin; i < end; ++i) {
                   split_image(from + i * image, pixels, channels, to + i * image);
                 }
               });
}

}  // namespace sluice::ops
