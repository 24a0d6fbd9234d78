#include <algorithm>

#include "base/fail.h"
#include "base/parallel.h"
#include "data/resize_images.h"
#include "data/subset.h"

namespace sluice {

namespace {

/// Returns the part in the middle of an image.
Image middle(const Image& image, int height, int width) {
  Image part{height, width, {}};
  const std::size_t top = static_cast<std::size_t>((image.height - height) / 2);
  const std::size_t left = static_cast<std::size_t>((image.width - width) / 2);
  for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y) {
    const auto row = image.pixels.begin() + 3 * ((top + y) * image.width + left);
    part.pixels.insert(part.pixels.end(), row, row + 3 * width);
  }
  return part;
}

/// Returns the size of the largest rectangle within height x width with the aspect ratio
/// `of_height` : `of_width`.
std::pair<int, int> within(int height, int width, int of_height, int of_width) {
  const auto scaled = [](int side, int numerator, int denominator, int most) {
    const std::int64_t size = std::int64_t{side} * numerator / denominator;
    return static_cast<int>(std::clamp<std::int64_t>(size, 1, most));
  };
  return {scaled(width, of_height, of_width, height), scaled(height, of_width, of_height, width)};
}

/// Follows keras/src/utils/image_utils.py, smart_resize().
Image cropped(const Image& image, int height, int width) {
  const auto [rows, columns] = within(image.height, image.width, height, width);
  return resized(middle(image, rows, columns), height, width);
}

Image padded(const Image& image, int height, int width) {
  const auto [rows, columns] = within(height, width, image.height, image.width);
  const Image inner = resized(image, rows, columns);
  Image canvas{
      height, width,
      std::vector<std::uint8_t>(std::size_t{3} * static_cast<std::size_t>(height) * width)};
  const std::size_t top = static_cast<std::size_t>((height - rows) / 2);
  const std::size_t left = static_cast<std::size_t>((width - columns) / 2);
  for (std::size_t y = 0; y < static_cast<std::size_t>(rows); ++y) {
    std::copy_n(inner.pixels.begin() + 3 * y * columns, 3 * columns,
                canvas.pixels.begin() + 3 * ((top + y) * width + left));
  }
  return canvas;
}

/// Returns the luma of each pixel, in libjpeg's fixed point (jccolor.c).
std::vector<std::uint8_t> luma(const std::vector<std::uint8_t>& rgb) {
  std::vector<std::uint8_t> grey(rgb.size() / 3);
  for (std::size_t i = 0; i < grey.size(); ++i) {
    const std::uint32_t sum =
        19595u * rgb[3 * i] + 38470u * rgb[3 * i + 1] + 7471u * rgb[3 * i + 2];
    grey[i] = static_cast<std::uint8_t>((sum + 32768u) >> 16);
  }
  return grey;
}

}  // namespace

std::string to_string(Resize resize) {
  switch (resize) {
    case Resize::stretch:
      return "stretch";
    case Resize::crop:
      return "crop";
    case Resize::pad:
      return "pad";
  }
  return "";
}

std::vector<std::uint8_t> fitted(const Image& image, const Shape& shape, Resize resize) {
  if (shape.size() != 3 || (shape[2] != 1 && shape[2] != 3)) {
    throw user_error("image",
                     "a picture cannot become {}: give (height, width, channels) with 1 or 3 "
                     "channels",
                     to_string(shape));
  }
  const int height = static_cast<int>(shape[0]);
  const int width = static_cast<int>(shape[1]);
  const bool sound = image.height > 0 && image.width > 0 && height > 0 && width > 0 &&
                     image.pixels.size() == std::size_t{3} * image.height * image.width;
  Image result = resize == Resize::stretch || !sound ? resized(image, height, width)
                 : resize == Resize::crop            ? cropped(image, height, width)
                                                     : padded(image, height, width);
  return shape[2] == 1 ? luma(result.pixels) : std::move(result.pixels);
}

Image picture_of(std::span<const std::uint8_t> pixels, const Shape& shape) {
  Image picture{static_cast<int>(shape[0]), static_cast<int>(shape[1]), {}};
  if (shape[2] == 3) {
    picture.pixels.assign(pixels.begin(), pixels.end());
  } else {
    for (const std::uint8_t grey : pixels) picture.pixels.insert(picture.pixels.end(), 3, grey);
  }
  return picture;
}

void resize_images(LabelledImages& images, const DataOptions& options) {
  const Shape shape = options.shape();
  if (shape == images.shape) return;
  const auto bytes = static_cast<std::size_t>(element_count(shape));
  require_memory_for_images(bytes * images.size());
  std::vector<std::uint8_t> pixels(bytes * images.size());
  constexpr std::size_t kGrain = 16;
  parallel_for(images.size(), kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const PixelView from = images.image(i);
      std::ranges::copy(fitted(picture_of(from, images.shape), shape, options.resize),
                        pixels.begin() + i * bytes);
    }
  });
  images.pixels = std::move(pixels);
  images.shape = shape;
}

}  // namespace sluice
