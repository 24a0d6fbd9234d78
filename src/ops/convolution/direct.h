#pragma once

#include "ops/convolution/multiply.h"

// Convolution as it is defined, as matrix products. A band of rows is copied to pixels of all their
// channels (NHWC) with zeros around. Then the `size` pixels under one row of the kernel are
// contiguous, and a row of results is a sum over the kernel's rows of
//
//   (pixels, size * channels) by (size * channels, filters),
//
// where the first matrix is the band read with one pixel from row to row, and the second is that
// row of the kernel as HWIO has it. The kernel's gradient is the first matrix's transpose by the
// results' gradient. A piece of work is a band.

namespace sluice::ops::convolution {
namespace {

/// Rows of an image that are worked on together.
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

/// Floats of one row of the kernel: (size, channels, filters).
std::ptrdiff_t kernel_row(const Problem& p) {
  return static_cast<std::ptrdiff_t>(p.kernel_size) * p.channels * p.filters;
}

std::size_t kernel_floats(const Problem& p) {
  return p.kernel_size * kernel_row(p);
}

/// Of `rows` padded rows, and of what a product reads beyond the last.
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

/// Copies rows [first, first + rows) of an image to (rows, padded width, channels), zeros around.
template <bool Masked>
void copy_rows(const Problem& p, const Source& source, int image, int first, int rows, float* to) {
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
    for (int c = 0; c < p.channels; c += kWidth) {
      const std::ptrdiff_t at = block(p, p.channels, image, c) + pixel(p, y, 0);
      float* out = to + before + c;
      for (int x = 0; x < p.width; ++x, out += p.channels) {
        store(out, load_source<Masked>(source, at + static_cast<std::ptrdiff_t>(x) * kWidth));
      }
    }
  }
  clear(to, static_cast<std::ptrdiff_t>(p.kernel_size) * p.channels);
}

/// Copies a band to a matrix (rows * padded width, filters) in panels, zeros after each row. Adds
/// its sums to diff_bias.
template <bool Masked>
void copy_gradient(const Problem& p, const Source& diff_dst, const Band& band, float* to,
                   float* diff_bias) {
  const int pixels = band.rows * padded_width(p);
  for (int k = 0; k < p.filters; k += kWidth) {
    Vector sum = load(diff_bias + k);
    const std::ptrdiff_t step =
        in_panels(pixels, p.filters, 1, k) - in_panels(pixels, p.filters, 0, k);
    float* out = to + in_panels(pixels, p.filters, 0, k);
    for (int row = 0; row < band.rows; ++row) {
      const std::ptrdiff_t at = block(p, p.filters, band.image, k) + pixel(p, band.first + row, 0);
      for (int x = 0; x < p.width; ++x, out += step) {
        const Vector seen =
            load_source<Masked>(diff_dst, at + static_cast<std::ptrdiff_t>(x) * kWidth);
        sum += seen;
        store(out, seen);
      }
      for (int x = p.width; x < padded_width(p); ++x, out += step) store(out, Vector{});
    }
    store(diff_bias + k, sum);
  }
}

template <bool Relu>
void store_row(const Problem& p, const float* row, const float* bias, float* dst, int image,
               int y) {
  for (int k = 0; k < p.filters; k += kWidth) {
    const Vector add = bias == nullptr ? Vector{} : load(bias + k);
    float* to = dst + block(p, p.filters, image, k) + pixel(p, y, 0);
    for (int x = 0; x < p.width; ++x, to += kWidth) {
      const Vector sum = load(row + in_panels(p.width, p.filters, x, k)) + add;
      store(to, Relu ? positive(sum, sum) : sum);
    }
  }
}

template <bool Masked, bool Relu>
void convolve_bands(const Problem& p, const Source& source, const float* kernel, const float* bias,
                    float* dst, float* scratch, int first_band, int last_band) {
  const int before = (p.kernel_size - 1) / 2;
  const std::ptrdiff_t padded_row = static_cast<std::ptrdiff_t>(padded_width(p)) * p.channels;
  float* row = scratch + band_floats(p, band_rows(p) + p.kernel_size - 1, p.channels);
  for (int piece = first_band; piece < last_band; ++piece) {
    const Band band(p, piece);
    copy_rows<Masked>(p, source, band.image, band.first - before, band.rows + p.kernel_size - 1,
                      scratch);
    for (int y = 0; y < band.rows; ++y) {
      for (int i = 0; i < p.kernel_size; ++i) {
        const Matrix pixels{scratch + (y + i) * padded_row, p.channels, 1};
        const auto product = i == 0 ? multiply<false> : multiply<true>;
        product(pixels, p.width, p.kernel_size * p.channels, kernel + i * kernel_row(p), p.filters,
                row);
      }
      store_row<Relu>(p, row, bias, dst, band.image, band.first + y);
    }
  }
}

void convolve_directly(const Problem& p, Source source, const float* kernel, const float* bias,
                       bool relu, float* dst, float* scratch, int first_band, int last_band) {
  const auto run = source.mask != nullptr ? convolve_bands<true, false>
                   : relu                 ? convolve_bands<false, true>
                                          : convolve_bands<false, false>;
  run(p, source, kernel, bias, dst, scratch, first_band, last_band);
}

template <bool Masked>
void add_gradient_of_bands(const Problem& p, const float* src, const Source& diff_dst, float* sums,
                           float* diff_bias, float* scratch, int first_band, int last_band) {
  const int before = (p.kernel_size - 1) / 2;
  const std::ptrdiff_t padded_row = static_cast<std::ptrdiff_t>(padded_width(p)) * p.channels;
  float* gradients = scratch + band_floats(p, band_rows(p) + p.kernel_size - 1, p.channels);
  for (int piece = first_band; piece < last_band; ++piece) {
    const Band band(p, piece);
    copy_rows<false>(p, {src}, band.image, band.first - before, band.rows + p.kernel_size - 1,
                     scratch);
    copy_gradient<Masked>(p, diff_dst, band, gradients, diff_bias);
    // As long as the gradients' rows end in zeros, all of a band is one sum.
    for (int i = 0; i < p.kernel_size; ++i) {
      multiply<true>({scratch + i * padded_row, 1, p.channels}, p.kernel_size * p.channels,
                     band.rows * padded_width(p), gradients, p.filters, sums + i * kernel_row(p));
    }
  }
}

void add_direct_gradient(const Problem& p, const float* src, Source diff_dst, float* sums,
                         float* diff_bias, float* scratch, int first_band, int last_band) {
  const auto run =
      diff_dst.mask != nullptr ? add_gradient_of_bands<true> : add_gradient_of_bands<false>;
  run(p, src, diff_dst, sums, diff_bias, scratch, first_band, last_band);
}

/// Where the vector of filters from k is, for a channel under a point of the kernel.
std::ptrdiff_t in_kernel(const Problem& p, int point, int channel, int k) {
  const int rows = p.kernel_size * p.channels;
  return point / p.kernel_size * kernel_row(p) +
         in_panels(rows, p.filters, point % p.kernel_size * p.channels + channel, k);
}

/// Calls body(hwio, prepared), offsets, for all vectors of channels [first, last).
template <class Body>
SLUICE_INLINE void for_each_kernel_vector(const Problem& p, int first, int last, Body body) {
  for (int point = 0; point < p.kernel_size * p.kernel_size; ++point) {
    for (int c = first; c < last; ++c) {
      for (int k = 0; k < p.filters; k += kWidth) {
        body((static_cast<std::ptrdiff_t>(point) * p.channels + c) * p.filters + k,
             in_kernel(p, point, c, k));
      }
    }
  }
}

void kernel_to_panels(const Problem& p, const float* hwio, float* prepared, int first, int last) {
  for_each_kernel_vector(p, first, last, [&](std::ptrdiff_t plain, std::ptrdiff_t panelled) {
    store(prepared + panelled, load(hwio + plain));
  });
}

void kernel_from_panels(const Problem& p, const float* sums, float* hwio, int first, int last) {
  for_each_kernel_vector(p, first, last, [&](std::ptrdiff_t plain, std::ptrdiff_t panelled) {
    store(hwio + plain, load(sums + panelled));
  });
}

void turn_kernel(const Problem& p, const float* hwio, float* turned, int first, int last) {
  const Problem q = p.turned();
  const int points = p.kernel_size * p.kernel_size;
  for (int point = 0; point < points; ++point) {
    for (int k = first; k < last; ++k) {
      for (int c = 0; c < p.channels; c += kWidth) {
        const std::ptrdiff_t from =
            (static_cast<std::ptrdiff_t>(points - 1 - point) * p.channels + c) * p.filters + k;
        store(turned + in_kernel(q, point, k, c), gather(hwio + from, p.filters));
      }
    }
  }
}

bool direct_suits(const Problem& p) {
  return p.kernel_size % 2 == 1;
}

constexpr Algorithm direct_algorithm(const char* name) {
  return {name,
          kWidth,
          direct_suits,
          bands,
          kernel_floats,
          band_scratch_floats,
          kernel_to_panels,
          turn_kernel,
          convolve_directly,
          add_direct_gradient,
          kernel_from_panels};
}

}  // namespace
}  // namespace sluice::ops::convolution
