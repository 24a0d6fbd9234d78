#pragma once

#include <cstddef>

// Convolutions by kernels of our own, for vectors of 8 or 16 floats: stride 1, 'same' padding.
// Images are in oneDNN's nChw8c or nChw16c: channels in blocks of a vector, which must divide
// channels and filters.

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

/// Values that count as 0 wherever `mask`, if there is one, is not positive: the backward pass of a
/// ReLU whose result it was.
struct Source {
  const float* values;
  const float* mask = nullptr;
};

// Work is cut into pieces, and kernels into rows of channels or filters. Calls for different ones
// may run on several threads at once, each with scratch memory of its own.

/// The gradient of the kernel.
struct GradientAlgorithm {
  int width;  ///< channels in a block
  /// Whether it can, and would not be slower than others.
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
  /// dst = source * kernel + bias (if any), and its ReLU if asked for.
  void (*convolve)(const Problem&, Source source, const float* prepared, const float* bias,
                   bool relu, float* dst, float* scratch, int first_piece, int last_piece);
};

/// For the widest vectors of this processor; null if it has none of 8 floats.
const Algorithm* winograd();

/// As it is defined, for AVX2, where oneDNN's is at half the speed of its other two passes. Null
/// elsewhere: with AVX-512 oneDNN's is near the ceiling.
const GradientAlgorithm* direct_gradient();

}  // namespace sluice::ops::convolution
