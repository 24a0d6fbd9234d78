#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "data/image_codecs.h"
#include "sluice/dataset.h"

namespace sluice {

namespace {

/// Consecutive input pixels, along one axis, of one output pixel; their weights sum to 1.
struct FilterTap {
  int first = 0;
  std::vector<float> weights;

  int end() const { return first + static_cast<int>(weights.size()); }
};

/// Computes a triangle filter around the output pixel's centre. Its half-width is one input pixel
/// when enlarging (bilinear), and one output pixel when shrinking.
std::vector<FilterTap> triangle_taps(int from, int to) {
  const double ratio = static_cast<double>(from) / to;
  const double reach = std::max(1.0, ratio);
  std::vector<FilterTap> taps(static_cast<std::size_t>(to));
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

  // Each row of the image is resized, (width, 3), and added to the rows of the result that it
  // reaches: so a large picture needs no copy.
  const std::size_t row = std::size_t{3} * static_cast<std::size_t>(width);
  const std::vector<FilterTap> columns = triangle_taps(image.width, width);
  const std::vector<FilterTap> rows = triangle_taps(image.height, height);
  std::vector<float> narrow(row);
  std::vector<float> sums(row * static_cast<std::size_t>(height));
  int first = 0;  // of the rows that this one reaches
  for (int y = 0; y < image.height; ++y) {
    std::fill(narrow.begin(), narrow.end(), 0.0f);
    const std::uint8_t* src = image.pixels.data() + std::size_t{3} * y * image.width;
    for (int x = 0; x < width; ++x) {
      const std::uint8_t* pixel = src + std::size_t{3} * columns[x].first;
      for (const float weight : columns[x].weights) {
        for (int c = 0; c < 3; ++c) narrow[3 * x + c] += weight * static_cast<float>(*pixel++);
      }
    }
    while (first < height && rows[first].end() <= y) ++first;
    for (int out = first; out < height && rows[out].first <= y; ++out) {
      const float weight = rows[out].weights[y - rows[out].first];
      float* dst = sums.data() + row * out;
      for (std::size_t i = 0; i < row; ++i) dst[i] += weight * narrow[i];
    }
  }

  Image result{height, width, std::vector<std::uint8_t>(sums.size())};
  std::ranges::transform(sums, result.pixels.begin(), [](float sum) {
    return static_cast<std::uint8_t>(std::clamp(sum + 0.5f, 0.0f, 255.0f));
  });
  return result;
}

}  // namespace sluice
