#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "data/image_codecs.h"
#include "sluice/dataset.h"

namespace sluice {

namespace {

/// Consecutive input pixels, along one axis, of one output pixel; their weights sum to 1.
struct Tap {
  int first = 0;
  std::vector<float> weights;
};

/// Computes a triangle filter around the output pixel's centre. Its half-width is one input pixel
/// when enlarging (bilinear), and one output pixel when shrinking.
std::vector<Tap> triangle_taps(int from, int to) {
  const double ratio = static_cast<double>(from) / to;
  const double reach = std::max(1.0, ratio);
  std::vector<Tap> taps(static_cast<std::size_t>(to));
  for (int out = 0; out < to; ++out) {
    const double centre = (out + 0.5) * ratio;
    const int first = std::max(0, static_cast<int>(std::floor(centre - reach)));
    const int last = std::min(from, static_cast<int>(std::ceil(centre + reach)));
    std::vector<double> weights;
    double sum = 0;
    for (int in = first; in < last; ++in) {
      weights.push_back(std::max(0.0, 1.0 - std::abs(in + 0.5 - centre) / reach));
      sum += weights.back();
    }
    taps[out].first = first;
    for (const double weight : weights) {
      taps[out].weights.push_back(static_cast<float>(weight / sum));
    }
  }
  return taps;
}

}  // namespace

Image resized(const Image& image, int height, int width) {
  if (height < 1 || width < 1 || image.height < 1 || image.width < 1) {
    throw user_error("image", "cannot resize to {} x {} pixels from {} x {}: sizes start at 1",
                     width, height, image.width, image.height);
  }
  check_image_size("the resized image", height, width);
  if (image.pixels.size() != std::size_t{3} * image.height * image.width) {
    throw user_error("image", "{} bytes for {} x {} pixels: give three for each",
                     image.pixels.size(), image.width, image.height);
  }
  if (height == image.height && width == image.width) return image;

  // Resizes along rows first: (image.height, width, 3).
  const std::size_t row = std::size_t{3} * static_cast<std::size_t>(width);
  std::vector<float> narrow(row * static_cast<std::size_t>(image.height));
  const std::vector<Tap> columns = triangle_taps(image.width, width);
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* src = image.pixels.data() + std::size_t{3} * y * image.width;
    float* dst = narrow.data() + row * y;
    for (int x = 0; x < width; ++x) {
      const std::uint8_t* pixel = src + std::size_t{3} * columns[x].first;
      for (const float weight : columns[x].weights) {
        for (int c = 0; c < 3; ++c) dst[3 * x + c] += weight * static_cast<float>(*pixel++);
      }
    }
  }

  Image result{height, width, std::vector<std::uint8_t>(row * static_cast<std::size_t>(height))};
  const std::vector<Tap> rows = triangle_taps(image.height, height);
  std::vector<float> sums(row);
  for (int y = 0; y < height; ++y) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    const float* src = narrow.data() + row * rows[y].first;
    for (const float weight : rows[y].weights) {
      for (std::size_t i = 0; i < row; ++i) sums[i] += weight * src[i];
      src += row;
    }
    std::uint8_t* dst = result.pixels.data() + row * y;
    for (std::size_t i = 0; i < row; ++i) {
      dst[i] = static_cast<std::uint8_t>(std::clamp(sums[i] + 0.5f, 0.0f, 255.0f));
    }
  }
  return result;
}

}  // namespace sluice
