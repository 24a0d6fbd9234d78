#include "ops/dropout.h"

#include <cmath>

#include "base/fail.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/simd.h"

namespace sluice::ops {

namespace {

/// A block of an image: runs of `used` values, `lanes` apart, and of what is kept, `channels`
/// apart.
struct Runs {
  std::size_t count, used, lanes, channels;
};

SLUICE_VECTORISED void scale_kept(float* values, const std::uint8_t* kept, float scale,
                                  const Runs runs) {
  constexpr std::size_t kVector = 8;
  for (std::size_t run = 0; run < runs.count; ++run) {
    std::size_t lane = 0;
    for (; lane + kVector <= runs.used; lane += kVector) {
      for (std::size_t i = lane; i < lane + kVector; ++i) {
        values[i] = kept[i] != 0 ? values[i] * scale : 0.f;
      }
    }
    for (; lane < runs.used; ++lane) {
      values[lane] = kept[lane] != 0 ? values[lane] * scale : 0.f;
    }
    values += runs.lanes;
    kept += runs.channels;
  }
}

}  // namespace

Dropout::Dropout(Plan&, const dnnl::memory& src, float rate, std::uint32_t number)
    : Op(src, src), number_(number), planes_(src) {
  if (!(rate >= 0.f && rate < 1.f)) {
    throw user_error("dropout", "a rate of {}: must be at least 0 and below 1", rate);
  }
  threshold_ = static_cast<std::uint32_t>(std::lround(rate * 65536.f));
  scale_ = 1.f / (1.f - rate);
  kept_.resize(planes_.images * planes_.elements());
}

dnnl::memory Dropout::plan_backward(Plan&, const dnnl::memory& diff_dst, bool) {
  diff_ = onednn::data(diff_dst);
  return diff_dst;
}

void Dropout::draw(const Pass& pass) {
  constexpr std::size_t kPerCall = 8;  // 16-bit numbers in 128 bits
  const RandomStream random(pass.seed, Purpose::dropout, pass.stream + number_, pass.step);
  const std::size_t elements = planes_.elements();
  const std::size_t calls = (elements + kPerCall - 1) / kPerCall;
  parallel_for(planes_.images * calls, 512, [&](std::size_t begin, std::size_t end) {
    for (std::size_t call = begin; call < end; ++call) {
      const auto bits = random.bits(static_cast<std::uint32_t>(call));
      const std::size_t first = call % calls * kPerCall;
      std::uint8_t* kept = kept_.data() + call / calls * elements + first;
      const std::size_t count = std::min(kPerCall, elements - first);
      for (std::size_t i = 0; i < count; ++i) {
        kept[i] = ((bits[i / 2] >> (i % 2 * 16)) & 0xffff) >= threshold_;
      }
    }
  });
}

void Dropout::apply(float* values) const {
  const std::size_t blocks = planes_.blocks;
  parallel_for(planes_.images * blocks, 4, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t block = i % blocks;
      scale_kept(values + i * planes_.pixels() * planes_.lanes,
                 kept_.data() + i / blocks * planes_.elements() + block * planes_.lanes, scale_,
                 {planes_.pixels(), planes_.used_lanes(block), planes_.lanes, planes_.channels});
    }
  });
}

void Dropout::forward(onednn::Context&, const Pass& pass) {
  active_ = pass.dropout;
  if (!active_) return;
  draw(pass);
  apply(onednn::data(src_));
}

void Dropout::backward_data(onednn::Context&) {
  if (active_) apply(diff_);
}

}  // namespace sluice::ops
