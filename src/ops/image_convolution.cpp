#include "ops/image_convolution.h"

#include <algorithm>

#include "base/simd.h"

namespace sluice::ops {

namespace {

constexpr int kPixels = 8;   ///< of the result that are computed together
constexpr int kValues = 12;  ///< of a row of the kernel, likewise: three pixels of four channels

using Sizes = ImageConvolution::Sizes;

std::size_t as_size(int value) {
  return static_cast<std::size_t>(value);
}

template <int kFloats>
[[gnu::always_inline]] inline void store(const typename Floats<kFloats>::Vector& values,
                                         std::size_t count, float* to) {
  using Stored = typename Floats<kFloats>::Stored;
  if (count >= kFloats) {
    *reinterpret_cast<Stored*>(to) = values;
  } else {
    for (std::size_t i = 0; i < count; ++i) to[i] = values[i];
  }
}

template <int kFloats>
[[gnu::always_inline]] inline void convolve_filters(const Sizes& s, std::size_t filter,
                                                    const float* padded, const float* kernel,
                                                    float* dst) {
  using Vector = typename Floats<kFloats>::Vector;
  using Stored = typename Floats<kFloats>::Stored;
  const float* const bias = kernel + s.kernel_rows * s.kernel_row * s.filters;
  for (std::size_t first = 0; first < s.pixels; first += kPixels) {
    const float* from[kPixels];
    Vector sums[kPixels];
    for (int p = 0; p < kPixels; ++p) {
      from[p] = padded + s.places[first + p];
      sums[p] = *reinterpret_cast<const Stored*>(bias + filter);
    }
    const float* weights = kernel + filter;
    for (std::size_t row = 0; row < s.kernel_rows; ++row) {
      for (std::size_t i = 0; i < s.kernel_row; ++i, weights += s.filters) {
        const Vector weight = *reinterpret_cast<const Stored*>(weights);
        for (int p = 0; p < kPixels; ++p) sums[p] += from[p][i] * weight;
      }
      for (int p = 0; p < kPixels; ++p) from[p] += s.padded_row;
    }
    const std::size_t last = std::min<std::size_t>(kPixels, s.pixels - first);
    for (std::size_t p = 0; p < last; ++p) {
      store<kFloats>(sums[p], s.filters - filter, dst + (first + p) * s.filters + filter);
    }
  }
}

template <int kFloats>
[[gnu::always_inline]] inline void gradient_of_filters(const Sizes& s, std::size_t filter,
                                                       const float* padded, const float* diff_dst,
                                                       float* diff_kernel) {
  using Vector = typename Floats<kFloats>::Vector;
  using Stored = typename Floats<kFloats>::Stored;
  for (std::size_t row = 0; row < s.kernel_rows; ++row) {
    for (std::size_t first = 0; first < s.kernel_row; first += kValues) {
      Vector sums[kValues] = {};
      for (std::size_t pixel = 0; pixel < s.pixels; ++pixel) {
        const float* const from = padded + s.places[pixel] + row * s.padded_row + first;
        const Vector diff = *reinterpret_cast<const Stored*>(diff_dst + pixel * s.filters + filter);
        for (int i = 0; i < kValues; ++i) sums[i] += from[i] * diff;
      }
      const std::size_t last = std::min<std::size_t>(kValues, s.kernel_row - first);
      for (std::size_t i = 0; i < last; ++i) {
        store<kFloats>(sums[i], s.filters - filter,
                       diff_kernel + (row * s.kernel_row + first + i) * s.filters + filter);
      }
    }
  }
}

/// The fewest floats of a vector that has all filters, or the most that this processor has.
int floats_for(std::size_t filters) {
  int floats = 4;
  while (floats < most_floats() && as_size(floats) < filters) floats *= 2;
  return floats;
}

SLUICE_VECTORISED void convolve_all(const Sizes& s, int floats, const float* padded,
                                    const float* kernel, float* dst) {
  for (std::size_t filter = 0; filter < s.filters; filter += as_size(floats)) {
    if (floats == 4) {
      convolve_filters<4>(s, filter, padded, kernel, dst);
    } else if (floats == 8) {
      convolve_filters<8>(s, filter, padded, kernel, dst);
    } else {
      convolve_filters<16>(s, filter, padded, kernel, dst);
    }
  }
}

SLUICE_VECTORISED void gradient_of_all(const Sizes& s, int floats, const float* padded,
                                       const float* diff_dst, float* diff_kernel) {
  for (std::size_t filter = 0; filter < s.filters; filter += as_size(floats)) {
    if (floats == 4) {
      gradient_of_filters<4>(s, filter, padded, diff_dst, diff_kernel);
    } else if (floats == 8) {
      gradient_of_filters<8>(s, filter, padded, diff_dst, diff_kernel);
    } else {
      gradient_of_filters<16>(s, filter, padded, diff_dst, diff_kernel);
    }
  }
}

}  // namespace

ImageConvolution::ImageConvolution(const operation::Window& window, int height, int width,
                                   int channels, int filters)
    : ImageConvolution(window, height, width, channels, filters, 1) {}

ImageConvolution::ImageConvolution(const operation::Window& window, int height, int width,
                                   int channels, int filters, const Size2D& spread)
    : window_(window),
      height_(height),
      width_(width),
      channels_(channels),
      spread_(spread),
      padded_rows_(as_size((height - 1) * spread.height + 1 + window.top + window.bottom)),
      floats_(floats_for(as_size(filters))) {
  const int columns = (width - 1) * spread.width + 1 + window.left + window.right;
  sizes_.filters = as_size(filters);
  sizes_.kernel_rows = as_size(window.size.height);
  sizes_.kernel_row = as_size(window.size.width * channels);
  sizes_.padded_row = as_size(columns * channels);
  const auto places = [](std::size_t padded, int size, int stride) {
    return (padded - as_size(size)) / as_size(stride) + 1;
  };
  const std::size_t result_rows = places(padded_rows_, window.size.height, window.strides.height);
  const std::size_t result_columns =
      places(as_size(columns), window.size.width, window.strides.width);
  for (std::size_t y = 0; y < result_rows; ++y) {
    for (std::size_t x = 0; x < result_columns; ++x) {
      sizes_.places.push_back(y * as_size(window.strides.height) * sizes_.padded_row +
                              x * as_size(window.strides.width * channels));
    }
  }
  sizes_.pixels = sizes_.places.size();
  sizes_.places.resize(sizes_.pixels + kPixels, sizes_.places.back());
}

ImageConvolution ImageConvolution::backward() const {
  const Size2D& size = window_.size;
  const Size2D& strides = window_.strides;
  const auto rows = static_cast<int>(window_.rows(height_));
  const auto columns = static_cast<int>(window_.columns(width_));
  operation::Window window{size, 1, size.height - 1 - window_.top, size.width - 1 - window_.left};
  // So that there is a result for each pixel of the source.
  window.bottom = height_ + size.height - 2 - window.top - (rows - 1) * strides.height;
  window.right = width_ + size.width - 2 - window.left - (columns - 1) * strides.width;
  return {window, rows, columns, static_cast<int>(filters()), channels_, strides};
}

void ImageConvolution::pad(const float* src, float* padded) const {
  const std::size_t row = as_size(width_ * channels_);
  const std::size_t step = as_size(spread_.width * channels_);
  std::fill_n(padded, padded_floats(), 0.f);
  padded += as_size(window_.top) * sizes_.padded_row + as_size(window_.left * channels_);
  for (int y = 0; y < height_;
       ++y, src += row, padded += as_size(spread_.height) * sizes_.padded_row) {
    if (spread_.width == 1) {
      std::copy_n(src, row, padded);
      continue;
    }
    for (int x = 0; x < width_; ++x) {
      std::copy_n(src + as_size(x * channels_), channels_, padded + as_size(x) * step);
    }
  }
}

void ImageConvolution::convolve(const float* padded, const float* kernel, float* dst) const {
  convolve_all(sizes_, floats_, padded, kernel, dst);
}

void ImageConvolution::gradient(const float* padded, const float* diff_dst,
                                float* diff_kernel) const {
  gradient_of_all(sizes_, floats_, padded, diff_dst, diff_kernel);
}

}  // namespace sluice::ops
