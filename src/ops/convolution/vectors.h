#pragma once

#include "ops/convolution/algorithm.h"

// This header, and those that include it, are written once in GCC's vector types. avx2.cpp and
// avx512.cpp set the number of floats and compile them for an instruction set. Everything is in
// unnamed namespaces and nothing uses the standard library: the linker must not merge code for a
// newer processor with code that runs on every processor.

#define SLUICE_INLINE __attribute__((always_inline)) inline

namespace sluice::ops::convolution {
namespace {

using Vector __attribute__((vector_size(SLUICE_WIDTH * sizeof(float)))) = float;
/// A vector as stored among floats, without alignment.
using Stored __attribute__((vector_size(SLUICE_WIDTH * sizeof(float)), may_alias, aligned(4))) =
    float;

using Ints __attribute__((vector_size(SLUICE_WIDTH * sizeof(std::int32_t)))) = std::int32_t;
using StoredLargest __attribute__((vector_size(SLUICE_WIDTH), may_alias, aligned(1))) = Largest;

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

/// Offset of the block that begins with `channel`, in an image of `count` channels.
std::ptrdiff_t block(const Problem& p, int count, int image, int channel) {
  return (static_cast<std::ptrdiff_t>(image) * count + channel) * p.height * p.width;
}

std::ptrdiff_t pixel(const Problem& p, int y, int x) {
  return (static_cast<std::ptrdiff_t>(y) * p.width + x) * kWidth;
}

/// Offset in images of half the height and width, rounded down.
std::ptrdiff_t pooled_block(const Problem& p, int count, int image, int channel) {
  return (static_cast<std::ptrdiff_t>(image) * count + channel) * (p.height / 2) * (p.width / 2);
}
std::ptrdiff_t pooled_pixel(const Problem& p, int y, int x) {
  return (static_cast<std::ptrdiff_t>(y / 2) * (p.width / 2) + x / 2) * kWidth;
}

/// Form of the source images: see Source.
enum class Given { plain, masked, pooled };

Given given(const Source& source) {
  return source.largest != nullptr ? Given::pooled
         : source.mask != nullptr  ? Given::masked
                                   : Given::plain;
}

/// A block of channels of an image with `count` channels.
template <Given kGiven>
class Image {
 public:
  Image(const Problem& p, const Source& source, int count, int image, int channel)
      : problem_(p), source_(source) {
    const std::ptrdiff_t begin = kGiven == Given::pooled ? pooled_block(p, count, image, channel)
                                                         : block(p, count, image, channel);
    source_.values += begin;
    if (kGiven == Given::masked) source_.mask += begin;
    if (kGiven == Given::pooled) source_.largest += begin;
  }

  /// Rows and columns that may be read; all others are 0.
  SLUICE_INLINE int height() const { return readable(problem_.height); }
  SLUICE_INLINE int width() const { return readable(problem_.width); }

  SLUICE_INLINE Vector operator()(int y, int x) const {
    if (kGiven == Given::pooled) {
      const std::ptrdiff_t at = pooled_pixel(problem_, y, x);
      const Ints largest = __builtin_convertvector(
          *reinterpret_cast<const StoredLargest*>(source_.largest + at), Ints);
      return largest == y % 2 * 2 + x % 2 ? load(source_.values + at) : Vector{};
    }
    const std::ptrdiff_t at = pixel(problem_, y, x);
    const Vector values = load(source_.values + at);
    return kGiven == Given::masked ? positive(values, load(source_.mask + at)) : values;
  }

 private:
  static int readable(int size) { return kGiven == Given::pooled ? size / 2 * 2 : size; }

  Problem problem_;
  Source source_;
};

}  // namespace
}  // namespace sluice::ops::convolution
