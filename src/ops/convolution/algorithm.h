#pragma once

#include <cstddef>

// Convolutions by kernels of our own, for vectors of 8 or 16 floats: stride 1, 'same' padding, odd
// kernels. Images are in oneDNN's nChw8c or nChw16c: channels in blocks of a vector.

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

/// What is to be convolved: where `mask` is given, `values` count as 0 wherever it is not positive,
/// which is the backward pass of a ReLU whose result it was.
struct Source {
  const float* values;
  const float* mask = nullptr;
};

/// One way to compute convolutions. Work is cut into pieces, and kernels into rows; calls for
/// different ones may run on several threads at once, each with scratch memory of its own.
struct Algorithm {
  const char* name;  ///< "winograd, avx2"
  int width;         ///< channels in a block; must divide channels and filters

  /// Whether it can, and would not be slower than others.
  bool (*suits)(const Problem&);
  int (*pieces)(const Problem&);
  /// Floats of a prepared kernel, and of the sums for its gradient.
  std::size_t (*kernel_floats)(const Problem&);
  /// Floats of scratch memory that a thread needs.
  std::size_t (*scratch_floats)(const Problem&);

  /// Brings hwio (size, size, channels, filters) into the form that convolve() takes: rows of that
  /// many channels.
  void (*prepare_kernel)(const Problem&, const float* hwio, float* prepared, int first, int last);
  /// The same kernel turned by 180 degrees, as that of problem.turned(): convolving the results'
  /// gradient with it gives the source's gradient. Its rows are filters.
  void (*prepare_turned_kernel)(const Problem&, const float* hwio, float* prepared, int first,
                                int last);
  /// dst = source * kernel + bias (if any), and its ReLU if asked for.
  void (*convolve)(const Problem&, Source source, const float* prepared, const float* bias,
                   bool relu, float* dst, float* scratch, int first_piece, int last_piece);
  /// Adds to `sums`, and to diff_bias the sums of diff_dst.
  void (*add_kernel_gradient)(const Problem&, const float* src, Source diff_dst, float* sums,
                              float* diff_bias, float* scratch, int first_piece, int last_piece);
  /// hwio's gradient from the sums; rows are channels.
  void (*finish_kernel_gradient)(const Problem&, const float* sums, float* hwio, int first,
                                 int last);
};

/// For the widest vectors of this processor; null if it has none of 8 floats.
const Algorithm* winograd();
/// Convolution as it is defined, for AVX2; null elsewhere: with AVX-512 oneDNN's is near the
/// ceiling.
const Algorithm* direct();

}  // namespace sluice::ops::convolution
