#pragma once

#include "ops/convolution/multiply.h"

// Gradient of the kernel by its definition, as matrix products. A band of rows is copied to pixels
// with all channels (NHWC), with zeros around. The band's gradients are copied likewise, with zeros
// after each row. Then the `size` pixels under one row of the kernel are contiguous, and the
// gradient of that row is
//
//   (size * channels, pixels) by (pixels, filters),
//
// where the first matrix is the band read with a stride of one pixel. A piece of work is a band.

namespace sluice::ops::convolution {
namespace {

/// Number of rows of an image that are processed together.
int band_rows(const Problem& p) {
  constexpr int kFloats = 1 << 14;  // 64 KB
  const int rows = kFloats / (p.width * (p.channels > p.filters ? p.channels : p.filters));
  return rows < 1 ? 1 : rows > p.height ? p.height : rows;
}

int bands_of_image(const Problem& p) {
  return (p.height + band_rows(p) - 1) / band_rows(p);
}
int bands(const Problem& p) {
  return p.images * bands_of_image(p);
}

struct Band {
  int image, first, rows;

  Band(const Problem& p, int piece)
      : image(piece / bands_of_image(p)), first(piece % bands_of_image(p) * band_rows(p)) {
    rows = first + band_rows(p) <= p.height ? band_rows(p) : p.height - first;
  }
};

int padded_width(const Problem& p) {
  return p.width + p.kernel_size - 1;
}

/// Number of floats of one row of the kernel: (size, channels, filters).
std::ptrdiff_t kernel_row(const Problem& p) {
  return static_cast<std::ptrdiff_t>(p.kernel_size) * p.channels * p.filters;
}

std::size_t kernel_floats(const Problem& p) {
  return p.kernel_size * kernel_row(p);
}

/// Number of floats of `rows` padded rows, and of the values that a product reads after the last.
std::ptrdiff_t band_floats(const Problem& p, int rows, int channels) {
  return static_cast<std::ptrdiff_t>(rows * padded_width(p) + p.kernel_size) * channels;
}

std::size_t band_scratch_floats(const Problem& p) {
  return band_floats(p, band_rows(p) + p.kernel_size - 1, p.channels) +
         band_floats(p, band_rows(p), p.filters);
}

void clear(float* values, std::ptrdiff_t count) {
  for (std::ptrdiff_t i = 0; i < count; ++i) values[i] = 0;
}

/// Copies a row of an image to (width, channels).
void copy_row(const Problem& p, const float* src, int image, int y, float* to) {
  if (p.channels % kWidth != 0) {
    const std::ptrdiff_t floats = static_cast<std::ptrdiff_t>(p.width) * p.channels;
    const float* from = src + (static_cast<std::ptrdiff_t>(image) * p.height + y) * floats;
    for (std::ptrdiff_t i = 0; i < floats; ++i) to[i] = from[i];
    return;
  }
  for (int c = 0; c < p.channels; c += kWidth) {
    const float* from = src + block(p, p.channels, image, c) + pixel(p, y, 0);
    float* out = to + c;
    for (int x = 0; x < p.width; ++x, from += kWidth, out += p.channels) store(out, load(from));
  }
}

/// Copies rows [first, first + rows) to (rows, padded width, channels), with zeros around.
void copy_rows(const Problem& p, const float* src, int image, int first, int rows, float* to) {
  const std::ptrdiff_t row_floats = static_cast<std::ptrdiff_t>(padded_width(p)) * p.channels;
  const std::ptrdiff_t before = static_cast<std::ptrdiff_t>(p.kernel_size - 1) / 2 * p.channels;
  for (int row = 0; row < rows; ++row, to += row_floats) {
    const int y = first + row;
    if (y < 0 || y >= p.height) {
      clear(to, row_floats);
      continue;
    }
    clear(to, before);
    clear(to + row_floats - before, before);
    copy_row(p, src, image, y, to + before);
  }
  clear(to, static_cast<std::ptrdiff_t>(p.kernel_size) * p.channels);
}

/// Copies a band to a matrix (rows * padded width, filters) in panels, with zeros after each row.
/// Adds its sums to diff_bias.
template <Given kGiven>
void copy_gradient(const Problem& p, const Source& diff_dst, const Band& band, float* to,
                   float* diff_bias) {
  const int pixels = band.rows * padded_width(p);
  for (int k = 0; k < p.filters; k += kWidth) {
    const Image<kGiven> image(p, diff_dst, p.filters, band.image, k);
    Vector sum = load(diff_bias + k);
    const std::ptrdiff_t step =
        in_panels(pixels, p.filters, 1, k) - in_panels(pixels, p.filters, 0, k);
    float* out = to + in_panels(pixels, p.filters, 0, k);
    for (int row = 0; row < band.rows; ++row) {
      for (int x = 0; x < p.width; ++x, out += step) {
        const Vector seen = image(band.first + row, x);
        sum += seen;
        store(out, seen);
      }
      for (int x = p.width; x < padded_width(p); ++x, out += step) store(out, Vector{});
    }
    store(diff_bias + k, sum);
  }
}

template <Given kGiven>
void add_gradient_of_bands(const Problem& p, const float* src, const Source& diff_dst, float* sums,
                           float* diff_bias, float* scratch, int first_band, int last_band) {
  const int before = (p.kernel_size - 1) / 2;
  const std::ptrdiff_t padded_row = static_cast<std::ptrdiff_t>(padded_width(p)) * p.channels;
  float* gradients = scratch + band_floats(p, band_rows(p) + p.kernel_size - 1, p.channels);
  for (int piece = first_band; piece < last_band; ++piece) {
    const Band band(p, piece);
    copy_rows(p, src, band.image, band.first - before, band.rows + p.kernel_size - 1, scratch);
    copy_gradient<kGiven>(p, diff_dst, band, gradients, diff_bias);
    // The gradients' rows end in zeros, so one product covers all rows of a band.
    for (int i = 0; i < p.kernel_size; ++i) {
      multiply<true>({scratch + i * padded_row, 1, p.channels}, p.kernel_size * p.channels,
                     band.rows * padded_width(p), gradients, p.filters, sums + i * kernel_row(p));
    }
  }
}

void add_direct_gradient(const Problem& p, const float* src, Source diff_dst, float* sums,
                         float* diff_bias, float* scratch, int first_band, int last_band) {
  const auto run = given(diff_dst) == Given::masked ? add_gradient_of_bands<Given::masked>
                                                    : add_gradient_of_bands<Given::plain>;
  run(p, src, diff_dst, sums, diff_bias, scratch, first_band, last_band);
}

void gradient_from_panels(const Problem& p, const float* sums, float* hwio, int first, int last) {
  for (int point = 0; point < p.kernel_size * p.kernel_size; ++point) {
    const float* row = sums + point / p.kernel_size * kernel_row(p);
    const int column = point % p.kernel_size * p.channels;
    float* to = hwio + (static_cast<std::ptrdiff_t>(point) * p.channels + first) * p.filters;
    for (int c = first; c < last; ++c) {
      for (int k = 0; k < p.filters; k += kWidth, to += kWidth) {
        store(to, load(row + in_panels(p.kernel_size * p.channels, p.filters, column + c, k)));
      }
    }
  }
}

bool direct_suits(const Problem& p) {
  return p.kernel_size % 2 == 1;
}

constexpr GradientAlgorithm direct_gradient_algorithm() {
  return {kWidth,
          direct_suits,
          bands,
          kernel_floats,
          band_scratch_floats,
          add_direct_gradient,
          gradient_from_panels};
}

}  // namespace
}  // namespace sluice::ops::convolution
