#pragma once

#include "ops/convolution/multiply.h"
#include "ops/convolution/winograd_transforms.h"

// Winograd's minimal filtering of images; winograd_transforms.h has the formula. Its 36 sums are
// matrix products: (tiles, channels) by (channels, filters) for the results, (channels, tiles) by
// (tiles, filters) for the gradient. A piece of work is a tile.

namespace sluice::ops::convolution {
namespace {

int tiles_down(const Problem& p) {
  return (p.height + kTile - 1) / kTile;
}
int tiles_across(const Problem& p) {
  return (p.width + kTile - 1) / kTile;
}
int tiles(const Problem& p) {
  return p.images * tiles_down(p) * tiles_across(p);
}

/// Number of floats of one point's matrix (channels, filters) of a transformed kernel.
std::ptrdiff_t kernel_matrix(const Problem& p) {
  return static_cast<std::ptrdiff_t>(p.channels) * p.filters;
}

/// Distance in floats between the points' matrices (tiles, channels). It is a cache line longer
/// than needed: with a power of two, all 36 would map to the same cache sets.
std::ptrdiff_t point_stride(int tiles, int channels) {
  return static_cast<std::ptrdiff_t>(tiles) * channels + 16;
}

constexpr int kRows = 6;  ///< of a product that are computed together: see multiply_panel()

int in_whole_rows(int tiles) {
  return (tiles + kRows - 1) / kRows * kRows;
}

/// Largest number of tiles that are transformed, multiplied and transformed back together. They
/// should stay in the second-level cache. But each time the whole transformed kernel is read, or
/// its gradient is read and written: a large one needs more tiles, so that these have about as much
/// traffic.
int most_tiles_at_once(const Problem& p) {
  constexpr std::ptrdiff_t kLeast = 1 << 17;  // floats: 512 KB
  constexpr std::ptrdiff_t kMost = 1 << 20;
  const std::ptrdiff_t half = kPoints * kernel_matrix(p) / 2;
  const std::ptrdiff_t floats = half < kLeast ? kLeast : half > kMost ? kMost : half;
  const int fit = static_cast<int>(floats / (kPoints * (p.channels + p.filters))) / kRows * kRows;
  const int all = in_whole_rows(tiles(p));
  return fit < kRows ? kRows : fit < all ? fit : all;
}

/// Divides tiles into blocks of about equal size; returns the size.
int tiles_at_once(const Problem& p, int count) {
  const int most = most_tiles_at_once(p);
  const int blocks = (count + most - 1) / most;
  return in_whole_rows((count + blocks - 1) / blocks);
}

/// Position of a tile.
struct Place {
  int image, y, x;

  Place(const Problem& p, int tile) {
    const int across = tiles_across(p);
    const int of_image = across * tiles_down(p);
    image = tile / of_image;
    y = tile % of_image / across * kTile;
    x = tile % across * kTile;
  }
};

/// Transforms the square of Side values at (y, x), and writes its 36 points to `to`, `stride`
/// apart.
template <int Side, Given kGiven, class Transform, class See>
SLUICE_INLINE void transform_tile(const Image<kGiven>& image, int y, int x, Transform transform,
                                  float* to, std::ptrdiff_t stride, See see) {
  const auto value = [&](int row, int column) __attribute__((always_inline)) {
    const Vector seen = image(y + row, x + column);
    see(seen);
    return seen;
  };
  const auto put = [&](int row, int column, Vector transformed) __attribute__((always_inline)) {
    store(to + (row * kIn + column) * stride, transformed);
  };
  const int top = y < 0 ? -y : 0;
  const int left = x < 0 ? -x : 0;
  const int bottom = y + Side > image.height() ? image.height() - y : Side;
  const int right = x + Side > image.width() ? image.width() - x : Side;
  if (top == 0 && left == 0 && bottom == Side && right == Side) {
    both_ways<Side, kIn>(transform, value, put);
    return;
  }
  Vector padded[Side][Side] = {};
  for (int row = top; row < bottom; ++row) {
    for (int column = left; column < right; ++column) padded[row][column] = value(row, column);
  }
  both_ways<Side, kIn>(
      transform, [&](int row, int column) { return padded[row][column]; }, put);
}

/// Writes B^T d B of the tiles to (36, tiles, channels).
template <Given kGiven>
void transform_source(const Problem& p, const Source& source, int first_tile, int tiles,
                      float* to) {
  const std::ptrdiff_t stride = point_stride(tiles, p.channels);
  for (int t = 0; t < tiles; ++t) {
    const Place place(p, first_tile + t);
    for (int c = 0; c < p.channels; c += kWidth, to += kWidth) {
      const Image<kGiven> image(p, source, p.channels, place.image, c);
      transform_tile<kIn>(image, place.y - 1, place.x - 1, input_transform, to, stride,
                          [](Vector) {});
    }
  }
}

/// Writes A dY A^T of the tiles to 36 matrices (tiles, filters) in panels; adds their sums to
/// diff_bias.
template <Given kGiven>
void transform_gradient(const Problem& p, const Source& diff_dst, int first_tile, int tiles,
                        float* to, float* diff_bias) {
  const std::ptrdiff_t stride = point_stride(tiles, p.filters);
  for (int t = 0; t < tiles; ++t) {
    const Place place(p, first_tile + t);
    for (int k = 0; k < p.filters; k += kWidth) {
      const Image<kGiven> image(p, diff_dst, p.filters, place.image, k);
      Vector sum = load(diff_bias + k);
      transform_tile<kTile>(image, place.y, place.x, gradient_transform,
                            to + in_panels(tiles, p.filters, t, k), stride,
                            [&](Vector value) { sum += value; });
      store(diff_bias + k, sum);
    }
  }
}

/// Writes a tile's results without pooling.
template <bool kRelu>
SLUICE_INLINE void put_tile(const Problem& p, const Place& place,
                            const Vector (&sums)[kTile][kTile], int channel, const Result& result) {
  float* to =
      result.values + block(p, p.filters, place.image, channel) + pixel(p, place.y, place.x);
  const int rows = p.height - place.y < kTile ? p.height - place.y : kTile;
  const int columns = p.width - place.x < kTile ? p.width - place.x : kTile;
  for (int row = 0; row < rows; ++row, to += pixel(p, 1, 0)) {
    for (int column = 0; column < columns; ++column) {
      const Vector sum = sums[row][column];
      store(to + column * kWidth, kRelu ? positive(sum, sum) : sum);
    }
  }
}

/// Writes a tile's results with pooling; an odd last row or column is in no pool. The first of
/// equal values is the largest; NaN is larger than all.
template <bool kRelu>
SLUICE_INLINE void pool_tile(const Problem& p, const Place& place,
                             const Vector (&sums)[kTile][kTile], int channel,
                             const Result& result) {
  const std::ptrdiff_t image = pooled_block(p, p.filters, place.image, channel);
  for (int y = 0; y < kTile && place.y + y + 1 < p.height; y += 2) {
    for (int x = 0; x < kTile && place.x + x + 1 < p.width; x += 2) {
      const std::ptrdiff_t at = image + pooled_pixel(p, place.y + y, place.x + x);
      Vector most = sums[y][x];
      Ints largest{};
      for (int i = 1; i < 4; ++i) {
        const Vector next = sums[y + i / 2][x + i % 2];
        const Ints stays = (next <= most) | (most != most);
        most = stays ? most : next;
        largest = stays ? largest : i - Ints{};
      }
      store(result.values + at, kRelu ? positive(most, most) : most);
      if (result.largest == nullptr) continue;
      if (kRelu) largest = most > 0 ? largest : kNone - Ints{};
      *reinterpret_cast<StoredLargest*>(result.largest + at) =
          __builtin_convertvector(largest, StoredLargest);
    }
  }
}

/// Writes A^T M A of the tiles' 36 products (tiles, filters) to the result.
template <bool kRelu, bool kPooled>
void transform_products(const Problem& p, const float* products, int first_tile, int tiles,
                        const Result& result) {
  const std::ptrdiff_t stride = point_stride(tiles, p.filters);
  for (int t = 0; t < tiles; ++t) {
    const Place place(p, first_tile + t);
    for (int k = 0; k < p.filters; k += kWidth) {
      const float* from = products + in_panels(tiles, p.filters, t, k);
      const Vector bias = result.bias == nullptr ? Vector{} : load(result.bias + k);
      Vector sums[kTile][kTile];
      both_ways<kIn, kTile>(
          output_transform,
          [&](int row, int column) { return load(from + (row * kIn + column) * stride); },
          [&](int row, int column, Vector value) { sums[row][column] = value + bias; });
      if (kPooled) {
        pool_tile<kRelu>(p, place, sums, k, result);
      } else {
        put_tile<kRelu>(p, place, sums, k, result);
      }
    }
  }
}

void transform_kernel(const Problem& p, const float* hwio, float* transformed, int first_channel,
                      int last_channel) {
  const std::ptrdiff_t matrix = kernel_matrix(p);
  for (int c = first_channel; c < last_channel; ++c) {
    for (int k = 0; k < p.filters; k += kWidth) {
      const float* from = hwio + static_cast<std::ptrdiff_t>(c) * p.filters + k;
      float* to = transformed + in_panels(p.channels, p.filters, c, k);
      both_ways<3, kIn>(
          kernel_transform,
          [&](int row, int column) { return load(from + (row * 3 + column) * matrix); },
          [&](int row, int column, Vector value) {
            store(to + (row * kIn + column) * matrix, value);
          });
    }
  }
}

void transform_turned_kernel(const Problem& p, const float* hwio, float* transformed,
                             int first_filter, int last_filter) {
  const std::ptrdiff_t matrix = kernel_matrix(p);
  for (int k = first_filter; k < last_filter; ++k) {
    for (int c = 0; c < p.channels; c += kWidth) {
      const float* from = hwio + static_cast<std::ptrdiff_t>(c) * p.filters + k;
      float* to = transformed + in_panels(p.filters, p.channels, k, c);
      both_ways<3, kIn>(
          kernel_transform,
          [&](int row, int column) {
            return gather(from + (8 - row * 3 - column) * matrix, p.filters);
          },
          [&](int row, int column, Vector value) {
            store(to + (row * kIn + column) * matrix, value);
          });
    }
  }
}

void transform_kernel_gradient(const Problem& p, const float* sums, float* hwio, int first_channel,
                               int last_channel) {
  const std::ptrdiff_t matrix = kernel_matrix(p);
  for (int c = first_channel; c < last_channel; ++c) {
    for (int k = 0; k < p.filters; k += kWidth) {
      const float* from = sums + in_panels(p.channels, p.filters, c, k);
      float* to = hwio + static_cast<std::ptrdiff_t>(c) * p.filters + k;
      both_ways<kIn, 3>(
          kernel_gradient_transform,
          [&](int row, int column) { return load(from + (row * kIn + column) * matrix); },
          [&](int row, int column, Vector value) {
            store(to + (row * 3 + column) * matrix, value);
          });
    }
  }
}

template <Given kGiven>
void convolve_tiles(const Problem& p, const Source& source, const float* transformed_kernel,
                    const Result& result, float* scratch, int first_tile, int last_tile) {
  const int at_once = tiles_at_once(p, last_tile - first_tile);
  const auto finish =
      result.pooled ? result.relu ? transform_products<true, true> : transform_products<false, true>
      : result.relu ? transform_products<true, false>
                    : transform_products<false, false>;
  float* products = scratch + kPoints * point_stride(at_once, p.channels);
  for (int first = first_tile; first < last_tile; first += at_once) {
    const int tiles = first + at_once <= last_tile ? at_once : last_tile - first;
    transform_source<kGiven>(p, source, first, tiles, scratch);
    for (int i = 0; i < kPoints; ++i) {
      multiply<false>({scratch + i * point_stride(tiles, p.channels), p.channels, 1}, tiles,
                      p.channels, transformed_kernel + i * kernel_matrix(p), p.filters,
                      products + i * point_stride(tiles, p.filters));
    }
    finish(p, products, first, tiles, result);
  }
}

void convolve_by_tiles(const Problem& p, Source source, const float* transformed_kernel,
                       const Result& result, float* scratch, int first_tile, int last_tile) {
  const auto run = given(source) == Given::pooled   ? convolve_tiles<Given::pooled>
                   : given(source) == Given::masked ? convolve_tiles<Given::masked>
                                                    : convolve_tiles<Given::plain>;
  run(p, source, transformed_kernel, result, scratch, first_tile, last_tile);
}

template <Given kGiven>
void add_gradient_of_tiles(const Problem& p, const float* src, const Source& diff_dst, float* sums,
                           float* diff_bias, float* scratch, int first_tile, int last_tile) {
  const int at_once = tiles_at_once(p, last_tile - first_tile);
  float* gradients = scratch + kPoints * point_stride(at_once, p.channels);
  for (int first = first_tile; first < last_tile; first += at_once) {
    const int tiles = first + at_once <= last_tile ? at_once : last_tile - first;
    transform_source<Given::plain>(p, {src}, first, tiles, scratch);
    transform_gradient<kGiven>(p, diff_dst, first, tiles, gradients, diff_bias);
    for (int i = 0; i < kPoints; ++i) {
      multiply<true>({scratch + i * point_stride(tiles, p.channels), 1, p.channels}, p.channels,
                     tiles, gradients + i * point_stride(tiles, p.filters), p.filters,
                     sums + i * kernel_matrix(p));
    }
  }
}

void add_transformed_gradient(const Problem& p, const float* src, Source diff_dst, float* sums,
                              float* diff_bias, float* scratch, int first_tile, int last_tile) {
  const auto run = given(diff_dst) == Given::pooled   ? add_gradient_of_tiles<Given::pooled>
                   : given(diff_dst) == Given::masked ? add_gradient_of_tiles<Given::masked>
                                                      : add_gradient_of_tiles<Given::plain>;
  run(p, src, diff_dst, sums, diff_bias, scratch, first_tile, last_tile);
}

/// Tiles that reach far over the edge cost more than they save.
bool winograd_suits(const Problem& p) {
  const std::ptrdiff_t pixels = static_cast<std::ptrdiff_t>(p.images) * p.height * p.width;
  return p.kernel_size == 3 && p.channels % kWidth == 0 &&
         2 * pixels >= std::ptrdiff_t{kTile * kTile} * tiles(p);
}

std::size_t transformed_kernel_floats(const Problem& p) {
  return kPoints * kernel_matrix(p);
}

std::size_t tiles_scratch_floats(const Problem& p) {
  const int at_once = most_tiles_at_once(p);
  return kPoints * (point_stride(at_once, p.channels) + point_stride(at_once, p.filters));
}

constexpr Algorithm winograd_algorithm(const char* name) {
  return {name,
          {kWidth, winograd_suits, tiles, transformed_kernel_floats, tiles_scratch_floats,
           add_transformed_gradient, transform_kernel_gradient},
          transform_kernel,
          transform_turned_kernel,
          convolve_by_tiles};
}

}  // namespace
}  // namespace sluice::ops::convolution
