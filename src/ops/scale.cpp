#include "ops/scale.h"

#include <limits>

#include "base/parallel.h"
#include "base/simd.h"

namespace sluice::ops {

namespace {

SLUICE_VECTORISED void scale_plane(const float* __restrict src, const float* __restrict scale,
                                   const float* __restrict offset, std::size_t pixels,
                                   std::size_t lanes, float least, float most,
                                   float* __restrict dst) {
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const float value = src[lane] * scale[lane] + offset[lane];
      dst[lane] = value < least ? least : value > most ? most : value;  // NaN stays NaN
    }
    src += lanes;
    dst += lanes;
  }
}

}  // namespace

std::vector<float> by_lane(const onednn::Planes& planes, std::vector<float> by_channel) {
  by_channel.resize(planes.blocks * planes.lanes);
  return by_channel;
}

void scale_values(const onednn::Planes& planes, const float* src, const float* scale,
                  const float* offset, const FusedRelu& relu, float* dst,
                  void (*then)(float* values, std::size_t count)) {
  const std::size_t plane = planes.pixels() * planes.lanes;
  const float least = relu.applied ? 0.f : -std::numeric_limits<float>::infinity();
  parallel_for(planes.images * planes.blocks, 1 + kGrainOfValues / plane,
               [&](std::size_t begin, std::size_t end) {
                 for (std::size_t i = begin; i < end; ++i) {
                   const std::size_t first = i % planes.blocks * planes.lanes;
                   scale_plane(src + i * plane, scale + first, offset + first, planes.pixels(),
                               planes.lanes, least, relu.max_value, dst + i * plane);
                   if (then != nullptr) then(dst + i * plane, plane);
                 }
               });
}

Scale::Scale(Plan& plan, const dnnl::memory& src, const std::vector<float>& scale,
             const std::vector<float>& offset)
    : Op(src, plan.take(src.get_desc())),
      planes_(src),
      scale_(by_lane(planes_, scale)),
      offset_(by_lane(planes_, offset)),
      zeros_(scale_.size()) {}

dnnl::memory Scale::plan_backward(Plan&, const dnnl::memory& diff_dst, bool) {
  diff_ = onednn::data(diff_dst);
  return diff_dst;
}

void Scale::forward(onednn::Context&, const Pass&) {
  scale_values(planes_, onednn::data(src_), scale_.data(), offset_.data(), {}, onednn::data(dst_));
}

void Scale::backward_data(onednn::Context&) {
  scale_values(planes_, diff_, scale_.data(), zeros_.data(), {}, diff_);
}

}  // namespace sluice::ops
