#pragma once

#include "ops/convolution/algorithm.h"

// What this and the headers that include it hold is written once in GCC's vector types and compiled
// for each instruction set, by avx2.cpp and avx512.cpp, which say how many floats a vector has. All
// is in unnamed namespaces and nothing of the standard library is used: code for a newer processor
// must not be merged with what runs on every one.

#define SLUICE_INLINE __attribute__((always_inline)) inline

namespace sluice::ops::convolution {
namespace {

using Vector __attribute__((vector_size(SLUICE_WIDTH * sizeof(float)))) = float;
/// As it lies among floats.
using Stored __attribute__((vector_size(SLUICE_WIDTH * sizeof(float)), may_alias, aligned(4))) =
    float;

constexpr int kWidth = SLUICE_WIDTH;

SLUICE_INLINE Vector load(const float* from) {
  return *reinterpret_cast<const Stored*>(from);
}
SLUICE_INLINE void store(float* to, Vector value) {
  *reinterpret_cast<Stored*>(to) = value;
}
SLUICE_INLINE Vector positive(Vector values, Vector where) {
  return where <= 0 ? Vector{} : values;
}

SLUICE_INLINE Vector gather(const float* from, std::ptrdiff_t step) {
  Vector values;
  for (int lane = 0; lane < kWidth; ++lane) values[lane] = from[lane * step];
  return values;
}

template <bool Masked>
SLUICE_INLINE Vector load_source(const Source& source, std::ptrdiff_t at) {
  const Vector loaded = load(source.values + at);
  return Masked ? positive(loaded, load(source.mask + at)) : loaded;
}

/// Where the block of `channel` begins in that image of (count) channels.
std::ptrdiff_t block(const Problem& p, int count, int image, int channel) {
  return (static_cast<std::ptrdiff_t>(image) * count + channel) * p.height * p.width;
}

std::ptrdiff_t pixel(const Problem& p, int y, int x) {
  return (static_cast<std::ptrdiff_t>(y) * p.width + x) * kWidth;
}

}  // namespace
}  // namespace sluice::ops::convolution
