#include "ops/dropout.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/fail.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/simd.h"

namespace sluice::ops {

namespace {

/// Reads the lower half of each word first.
SLUICE_VECTORISED void keep(const std::uint32_t* bits, std::uint32_t threshold, std::size_t count,
                            std::uint8_t* __restrict kept) {
  for (std::size_t i = 0; i < count / 2; ++i) {
    kept[2 * i] = (bits[i] & 0xffff) >= threshold;
    kept[2 * i + 1] = (bits[i] >> 16) >= threshold;
  }
  if (count % 2 != 0) kept[count - 1] = (bits[count / 2] & 0xffff) >= threshold;
}

/// A block of an image: runs of `used` values, `lanes` apart in the image and `channels` apart in
/// the mask.
struct Runs {
  std::size_t count, used, lanes, channels;
};

SLUICE_VECTORISED void scale_kept(float* __restrict values, const std::uint8_t* __restrict kept,
                                  float scale, const Runs runs) {
  constexpr std::size_t kVector = 8;
  for (std::size_t run = 0; run < runs.count; ++run) {
    std::size_t lane = 0;
    for (; lane + kVector <= runs.used; lane += kVector) {
#pragma omp simd
      for (std::size_t i = 0; i < kVector; ++i) {
        values[lane + i] *= scale * static_cast<float>(kept[lane + i]);
      }
    }
    for (; lane < runs.used; ++lane) {
      values[lane] *= scale * static_cast<float>(kept[lane]);
    }
    values += runs.lanes;
    kept += runs.channels;
  }
}

}  // namespace

Dropout::Dropout(Plan&, const dnnl::memory& src, float rate, std::uint32_t number)
    : Op(src, src), number_(number), planes_(src) {
  constexpr std::uint32_t kMost = 256;  // after these, the next part's streams begin
  if (number >= kMost) {
    throw user_error("dropout", "more than {} in one model: leave some out", kMost);
  }
  if (!(rate >= 0.f && rate < 1.f)) {
    throw user_error("dropout", "a rate of {}: must be at least 0 and below 1", rate);
  }
  threshold_ = static_cast<std::uint32_t>(std::lround(rate * 65536.f));
  scale_ = 1.f / (1.f - rate);
}

dnnl::memory Dropout::plan_backward(Plan&, const dnnl::memory& diff_dst, bool) {
  diff_ = onednn::data(diff_dst);
  return diff_dst;
}

void Dropout::draw(const Pass& pass) {
  constexpr std::size_t kPerCall = 8;  // 16-bit numbers in 128 bits
  constexpr std::size_t kCalls = 256;  // per iteration
  const RandomStream random(pass.seed, Purpose::dropout, pass.stream + number_, pass.step);
  const std::size_t elements = planes_.elements();
  const std::size_t calls = (elements + kPerCall - 1) / kPerCall;
  const auto first_row = static_cast<std::size_t>(pass.first_row);
  kept_.resize(planes_.images * elements);  // allocated on first use: inference needs no mask
  parallel_for(rows_, 1, [&](std::size_t begin, std::size_t end) {
    std::array<std::uint32_t, 4 * kCalls> bits;
    for (std::size_t image = begin; image < end; ++image) {
      for (std::size_t call = 0; call < calls; call += kCalls) {
        const std::size_t count = std::min(kCalls, calls - call);
        const std::size_t number = (first_row + image) * calls + call;
        random.fill(static_cast<std::uint32_t>(number), count, bits.data());
        const std::size_t first = call * kPerCall;
        keep(bits.data(), threshold_, std::min(count * kPerCall, elements - first),
             kept_.data() + image * elements + first);
      }
    }
  });
}

void Dropout::apply(float* values) const {
  const std::size_t blocks = planes_.blocks;
  parallel_for(rows_ * blocks, 4, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t block = i % blocks;
      scale_kept(values + i * planes_.pixels() * planes_.lanes,
                 kept_.data() + i / blocks * planes_.elements() + block * planes_.lanes, scale_,
                 {planes_.pixels(), planes_.used_lanes(block), planes_.lanes, planes_.channels});
    }
  });
}

void Dropout::forward(onednn::Context&, const Pass& pass) {
  rows_ = pass.phase == Phase::training ? static_cast<std::size_t>(pass.rows) : 0;
  if (rows_ == 0) return;
  draw(pass);
  apply(onednn::data(src_));
}

void Dropout::backward_data(onednn::Context&) {
  if (rows_ > 0) apply(diff_);
}

}  // namespace sluice::ops
