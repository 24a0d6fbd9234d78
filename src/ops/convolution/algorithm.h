#pragma once

#include <cstddef>
#include <cstdint>

// Convolutions by kernels of our own, for vectors of 8 or 16 floats: stride 1, 'same' padding.
// Images are in oneDNN's nChw8c or nChw16c: channels in blocks of a vector, which must divide the
// filters. Source images whose channels it does not divide are in NHWC.

namespace sluice::ops::convolution {

struct Problem {
  int images;
  int height;
  int width;
  int channels;
  int filters;
  int kernel_size;

  /// Channels and filters change places, as in backward data.
  Problem turned() const { return {images, height, width, filters, channels, kernel_size}; }
};

/// Which of the four pixels of a 2x2 pool was the largest: 0 to 3, row by row, or none.
using Largest = std::uint8_t;
constexpr Largest kNone = 4;

/// Images that are read. Of what follows the values one may be given.
struct Source {
  const float* values;
  /// They count as 0 wherever it is not positive: the backward pass of a ReLU whose result it was.
  const float* mask = nullptr;
  /// They are of images half as high and wide, and each belongs to that pixel of its four, the
  /// others being 0: the backward pass of a ReLU and a max pooling.
  const Largest* largest = nullptr;
};

/// Images that are written: sums, plus bias (filters) if given, through ReLU and pools if asked
/// for. Of pools, `largest` is written too if given; none where a ReLU has no gradient.
struct Result {
  float* values;
  const float* bias = nullptr;
  bool relu = false;
  bool pooled = false;
  Largest* largest = nullptr;
};

// Work is cut into pieces, and kernels into rows of channels or filters. Calls for different ones
// may run on several threads at once, each with scratch memory of its own.

/// The gradient of the kernel.
struct GradientAlgorithm {
  int width;  ///< channels in a block
  /// Whether it takes the sizes, and would not be slower than others.
  bool (*suits)(const Problem&);
  int (*pieces)(const Problem&);
  /// Floats of the sums that it works out first.
  std::size_t (*sums_floats)(const Problem&);
  /// Floats of scratch memory that a thread needs.
  std::size_t (*scratch_floats)(const Problem&);
  /// Adds to `sums`, and to diff_bias the sums of diff_dst.
  void (*add)(const Problem&, const float* src, Source diff_dst, float* sums, float* diff_bias,
              float* scratch, int first_piece, int last_piece);
  /// The gradient of hwio (size, size, channels, filters) from the sums, for channels [first,
  /// last).
  void (*finish)(const Problem&, const float* sums, float* hwio, int first, int last);
};

/// All three passes.
struct Algorithm {
  const char* name;  ///< "winograd, avx2"
  /// A prepared kernel has as many floats as the gradient's sums, and the same pieces and scratch.
  GradientAlgorithm gradient;

  /// Brings hwio into the form that convolve() takes, for channels [first, last).
  void (*prepare_kernel)(const Problem&, const float* hwio, float* prepared, int first, int last);
  /// The same kernel turned by 180 degrees, as that of problem.turned(), for filters [first, last):
  /// convolving the results' gradient with it gives the source's gradient.
  void (*prepare_turned_kernel)(const Problem&, const float* hwio, float* prepared, int first,
                                int last);
  void (*convolve)(const Problem&, Source source, const float* prepared, const Result& result,
                   float* scratch, int first_piece, int last_piece);
};

/// For the widest vectors of this processor; null if it has none of 8 floats.
const Algorithm* winograd();

/// As it is defined, for AVX2, where oneDNN's is at half the speed of its other two passes. Null
/// elsewhere: with AVX-512 oneDNN's is near the ceiling.
const GradientAlgorithm* direct_gradient();

}  // namespace sluice::ops::convolution
