#pragma once

#include <cstddef>
#include <vector>

#include "graph/operation.h"

namespace sluice::ops {

/// A convolution of one image with a kernel of its own, on the calling thread. It reads a padded
/// copy of the image, (rows, columns, channels), in which the values under one row of the kernel
/// are contiguous. Vectors are of filters, and may reach beyond the ends of buffers.
class ImageConvolution {
 public:
  ImageConvolution(const operation::Window& window, int height, int width, int channels,
                   int filters);
  /// Gives the gradient of the source. Its own source is the gradient of the result with zeros for
  /// the strides; its kernel (height, width, filters, channels) is turned by 180 degrees.
  ImageConvolution backward() const;

  std::size_t kernel_values() const { return sizes_.kernel_rows * sizes_.kernel_row * filters(); }
  std::size_t source_values() const {
    return static_cast<std::size_t>(height_) * static_cast<std::size_t>(width_) *
           static_cast<std::size_t>(channels_);
  }
  std::size_t result_values() const { return sizes_.pixels * filters(); }
  std::size_t filters() const { return sizes_.filters; }

  // Numbers of floats of buffers that vectors read: the padded image, the kernel with the bias
  // behind it, and the gradient of the result.
  std::size_t padded_floats() const { return padded_rows_ * sizes_.padded_row + kBeyond; }
  std::size_t kernel_floats() const { return kernel_values() + filters() + kBeyond; }
  std::size_t result_floats() const { return result_values() + kBeyond; }

  /// src (height, width, channels)
  void pad(const float* src, float* padded) const;
  /// kernel (height, width, channels, filters), bias behind it; dst (rows, columns, filters)
  void convolve(const float* padded, const float* kernel, float* dst) const;
  /// Writes the gradient of the kernel, without the bias.
  void gradient(const float* padded, const float* diff_dst, float* diff_kernel) const;

  struct Sizes {
    std::size_t pixels;  ///< of the result
    std::size_t filters;
    std::size_t kernel_rows;
    std::size_t kernel_row;  ///< values under one row of the kernel
    std::size_t padded_row;
    /// The result's pixels in the padded image; the last one repeated.
    std::vector<std::size_t> places;
  };

 private:
  static constexpr std::size_t kBeyond = 16;  ///< floats of the largest vector

  ImageConvolution(const operation::Window& window, int height, int width, int channels,
                   int filters, const Size2D& spread);

  operation::Window window_;
  int height_, width_, channels_;
  Size2D spread_;  ///< pixels of the padded image from one pixel of the source to the next
  std::size_t padded_rows_;
  Sizes sizes_;
  int floats_;  ///< of a vector
};

}  // namespace sluice::ops
