#include <algorithm>
#include <cmath>
#include <cstring>

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

/// Red, green, blue, and the red of the next pixel, which nobody uses: so the compiler computes
/// them together.
using Pixel = float __attribute__((vector_size(16)));

/// Rows that are made narrow together, because a sum alone waits for its own additions.
constexpr int kRows = 4;

/// Rows of pixels one after another, each with room for the fourth number of its last Pixel.
struct Rows {
  explicit Rows(int width) : length(std::size_t{3} * width + 1), values(kRows * length) {}

  float* row(int number) { return values.data() + number * length; }

  std::size_t length;
  std::vector<float> values;
};

/// Writes the weighted sums of the pixels of one tap.
void narrow_pixels(Rows& from, const FilterTap& tap, Rows& to, int x) {
  Pixel sums[kRows] = {};
  const float* src = from.row(0) + std::size_t{3} * tap.first;
  for (const float weight : tap.weights) {
    for (int r = 0; r < kRows; ++r) {
      Pixel pixel;
      std::memcpy(&pixel, src + r * from.length, sizeof pixel);
      sums[r] += weight * pixel;
    }
    src += 3;
  }
  for (int r = 0; r < kRows; ++r) {
    std::memcpy(to.row(r) + std::size_t{3} * x, &sums[r], sizeof sums[r]);
  }
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
  Rows wide(image.width);
  Rows narrow(width);
  std::vector<float> sums(row * static_cast<std::size_t>(height));
  int first = 0;  // of the rows that this one reaches
  for (int y = 0; y < image.height; ++y) {
    if (y % kRows == 0) {
      const int count = std::min(kRows, image.height - y);
      for (int r = 0; r < count; ++r) {
        const std::uint8_t* src = image.pixels.data() + std::size_t{3} * (y + r) * image.width;
        std::copy_n(src, wide.length - 1, wide.row(r));
      }
      for (int x = 0; x < width; ++x) narrow_pixels(wide, columns[x], narrow, x);
    }
    while (first < height && rows[first].end() <= y) ++first;
    for (int out = first; out < height && rows[out].first <= y; ++out) {
      const float weight = rows[out].weights[y - rows[out].first];
      const float* src = narrow.row(y % kRows);
      float* dst = sums.data() + row * out;
      for (std::size_t i = 0; i < row; ++i) dst[i] += weight * src[i];
    }
  }

  Image result{height, width, std::vector<std::uint8_t>(sums.size())};
  std::ranges::transform(sums, result.pixels.begin(), [](float sum) {
    return static_cast<std::uint8_t>(std::clamp(sum + 0.5f, 0.0f, 255.0f));
  });
  return result;
}

}  // namespace sluice
