#pragma once

#include <cstddef>
#include <cstdint>

// Convolutions by Sluice's own kernels, for vectors of 8 or 16 floats: stride 1, 'same' padding.
// Images have oneDNN's layout nChw8c or nChw16c: blocks of one vector of channels, which must
// divide the filters. If it does not divide the source's channels, the source is in NHWC.

namespace sluice::ops::convolution {

struct Problem {
  int images;
  int height;
  int width;
  int channels;
  int filters;
  int kernel_size;

  /// Exchanges channels and filters, for backward data.
  Problem transposed() const { return {images, height, width, filters, channels, kernel_size}; }
};

/// Index of the largest of the four pixels of a 2x2 pool: 0 to 3, row by row, or none.
using Largest = std::uint8_t;
constexpr Largest kNone = 4;

/// Images to read. At most one of `mask` and `largest` may be set.
struct Source {
  const float* values;
  /// Values count as 0 where the mask is not positive: the backward pass of a ReLU with that
  /// result.
  const float* mask = nullptr;
  /// Values are images of half the height and width, rounded down; each belongs to the given pixel
  /// of its four, and the others are 0: the backward pass of a ReLU and a max pooling.
  const Largest* largest = nullptr;
};

/// Images to write: sums, plus bias (filters) if set, then ReLU and pooling if set. With pooling,
/// `largest` gets the pixels if set, or kNone if the ReLU has no gradient.
struct Result {
  float* values;
  const float* bias = nullptr;
  bool relu = false;
  bool pooled = false;
  Largest* largest = nullptr;
};

// Work is divided into pieces, and kernels into rows of channels or filters. Several threads may
// process different ones at once, each with its own scratch memory.

/// Computes the gradient of the kernel.
struct GradientAlgorithm {
  int width;  ///< channels in a block
  /// Whether it supports the sizes and is not slower than other algorithms.
  bool (*suits)(const Problem&);
  int (*pieces)(const Problem&);
  /// Number of floats of the intermediate sums.
  std::size_t (*sums_floats)(const Problem&);
  /// Number of floats of scratch memory for each thread.
  std::size_t (*scratch_floats)(const Problem&);
  /// Adds the products to `sums`, and the sums of diff_dst to diff_bias.
  void (*add)(const Problem&, const float* src, Source diff_dst, float* sums, float* diff_bias,
              float* scratch, int first_piece, int last_piece);
  /// Computes the gradient of hwio (size, size, channels, filters) from the sums, for channels
  /// [first, last).
  void (*finish)(const Problem&, const float* sums, float* hwio, int first, int last);
};

/// Computes all three passes.
struct Algorithm {
  const char* name;  ///< "winograd, avx2"
  /// A prepared kernel has the size of the gradient's sums, and the same pieces and scratch memory.
  GradientAlgorithm gradient;

  /// Converts hwio to the form for convolve(), for channels [first, last).
  void (*prepare_kernel)(const Problem&, const float* hwio, float* prepared, int first, int last);
  /// Prepares the kernel rotated by 180 degrees, for problem.transposed() and filters [first,
  /// last): its convolution with the gradient of the result is the gradient of the source.
  void (*prepare_rotated_kernel)(const Problem&, const float* hwio, float* prepared, int first,
                                 int last);
  void (*convolve)(const Problem&, Source source, const float* prepared, const Result& result,
                   float* scratch, int first_piece, int last_piece);
};

/// Returns the algorithm for this processor's widest vectors; null without vectors of 8 floats.
const Algorithm* winograd();

/// Returns the direct algorithm for AVX2, where oneDNN's runs at half the speed of its other two
/// passes. Null otherwise: with AVX-512, oneDNN's is near the ceiling.
const GradientAlgorithm* direct_gradient();

}  // namespace sluice::ops::convolution
