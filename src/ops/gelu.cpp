#include "ops/gelu.h"

#include <bit>
#include <cmath>
#include <cstdint>

#include "base/simd.h"

namespace sluice::ops {

namespace {

/// e^-x for x from 0; where the result is below 2^-125, 2^-125 or so. The compiler makes it
/// vectors.
[[gnu::always_inline]] inline float exp_minus(float x) {
  constexpr float kLog2e = 1.44269504f;
  constexpr float kRounder = 12582912.f;  // 1.5 * 2^23: the sum has no digits behind the point
  // Numbers from 0 compare as their bits do: a comparison of floats may trap, and would keep the
  // compiler from vectors.
  constexpr auto kMost = std::bit_cast<std::int32_t>(86.5f);
  const auto bits = std::bit_cast<std::int32_t>(x);
  const auto limited = std::bit_cast<float>(bits < kMost ? bits : kMost);
  const float whole = limited * kLog2e + kRounder - kRounder;
  // ln 2 in two parts, so that the product of the first is exact.
  const float rest = (limited - whole * 0.693359375f) + whole * 2.12194440e-4f;
  // Taylor's series of e^-rest; |rest| is at most ln(2) / 2.
  float sum = 1.f / 5040;
  sum = 1.f / 720 - rest * sum;
  sum = 1.f / 120 - rest * sum;
  sum = 1.f / 24 - rest * sum;
  sum = 1.f / 6 - rest * sum;
  sum = 0.5f - rest * sum;
  sum = 1 - rest * sum;
  sum = 1 - rest * sum;
  const auto exponent = static_cast<std::int32_t>(127 - whole);
  return sum * std::bit_cast<float>(exponent << 23);
}

/// Phi(y), and e^(-y^2 / 2).
[[gnu::always_inline]] inline float distribution(float y, float& density) {
  density = exp_minus(0.5f * y * y);
  const float t = 1 / (1 + 0.3275911f * 0.70710678f * std::fabs(y));
  const float sum =
      t * (0.254829592f +
           t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  const float tail = 0.5f * sum * density;
  const float sign = std::copysign(1.f, y);
  return 0.5f * (1 + sign) - sign * tail;
}

SLUICE_VECTORISED void multiply_by_phi(float* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    float density;
    values[i] *= distribution(values[i], density);
  }
}

SLUICE_VECTORISED void multiply_by_slope(const float* __restrict src, const float* __restrict scale,
                                         const float* __restrict offset, std::size_t pixels,
                                         std::size_t lanes, float* __restrict diff) {
  constexpr float kDensity = 0.398942280f;  // 1 / sqrt(2 pi)
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const float y = src[lane] * scale[lane] + offset[lane];
      float density;
      const float phi = distribution(y, density);
      diff[lane] *= phi + y * (kDensity * density);
    }
    src += lanes;
    diff += lanes;
  }
}

}  // namespace

void gelu(float* values, std::size_t count) {
  multiply_by_phi(values, count);
}

void gelu_backward(const float* src, const float* scale, const float* offset, std::size_t pixels,
                   std::size_t lanes, float* diff) {
  multiply_by_slope(src, scale, offset, pixels, lanes, diff);
}

}  // namespace sluice::ops
