#pragma once

#include <cstddef>

// Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2016): tiles of 6 by 6 values give 4 by
// 4 results with 36 multiplications in place of 144. With a tile d, a kernel g, and the small
// matrices B, G and A of that paper:
//
//   results          Y = A^T [sum over channels of (G g G^T) (B^T d B), element by element] A
//   kernel gradient  G^T [sum over tiles of (B^T d B) (A dY A^T), element by element] G
//
// The 36 sums are matrix products. All here is for stride 1 and one row of zeros around the image.

namespace sluice::ops::winograd {

constexpr int kPoints = 36;  ///< of a transformed tile
constexpr int kTile = 4;     ///< results on a side

/// One convolution. Images are in oneDNN's nChw8c or nChw16c: channels in blocks of the kernels'
/// width, which must divide both counts.
struct Problem {
  int images;
  int height;
  int width;
  int channels;
  int filters;

  int tiles_down() const { return (height + kTile - 1) / kTile; }
  int tiles_across() const { return (width + kTile - 1) / kTile; }
  /// Channels and filters change places, as in backward data.
  Problem turned() const { return {images, height, width, filters, channels}; }
  int tiles() const { return images * tiles_down() * tiles_across(); }
};

/// What is to be convolved: where `mask` is given, `values` count as 0 wherever it is not positive,
/// which is the backward pass of a ReLU whose result it was.
struct Source {
  const float* values;
  const float* mask = nullptr;
};

/// Floats from one point's matrix (tiles, channels) to the next: a cache line more than needed, for
/// a power of two would put all 36 into the same few places of the cache.
constexpr std::ptrdiff_t point_stride(int tiles, int channels) {
  return static_cast<std::ptrdiff_t>(tiles) * channels + 16;
}

/// Tiles that are transformed, multiplied and transformed back together, while they are in the
/// second-level cache.
int tiles_at_once(const Problem& problem);

/// Floats of a transformed kernel, and of its gradient's sums.
std::size_t kernel_size(const Problem& problem);

/// Floats of scratch memory that a thread needs for convolve() or add_kernel_gradient().
std::size_t scratch_size(const Problem& problem);

/// The functions for one vector width. Those with a range of tiles may run on several threads at
/// once, each with scratch memory of its own.
struct Kernels {
  int width;  ///< channels in a block

  /// hwio (3, 3, channels, filters) to (36, channels, filters).
  void (*transform_kernel)(const Problem&, const float* hwio, float* transformed, int first_channel,
                           int last_channel);
  /// The same kernel turned by 180 degrees, to (36, filters, channels): convolving the results'
  /// gradient with it gives the source's gradient.
  void (*transform_turned_kernel)(const Problem&, const float* hwio, float* transformed,
                                  int first_filter, int last_filter);
  /// dst = source * kernel + bias (if any), and its ReLU if asked for.
  void (*convolve)(const Problem&, Source source, const float* transformed_kernel,
                   const float* bias, bool relu, float* dst, float* scratch, int first_tile,
                   int last_tile);
  /// Adds to sums (36, channels, filters), and to diff_bias the sums of diff_dst.
  void (*add_kernel_gradient)(const Problem&, const float* src, Source diff_dst, float* sums,
                              float* diff_bias, float* scratch, int first_tile, int last_tile);
  /// hwio's gradient from the sums.
  void (*transform_kernel_gradient)(const Problem&, const float* sums, float* hwio,
                                    int first_channel, int last_channel);
};

/// For the widest vectors of this processor; null if it has none of 8 floats.
const Kernels* kernels();

}  // namespace sluice::ops::winograd
