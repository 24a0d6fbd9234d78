#include "data/codecs/pixels.h"

#include <algorithm>
#include <cstddef>

namespace sluice {

namespace {

/// Reads numbers of either byte order; 0 beyond the end.
class TiffNumbers {
 public:
  explicit TiffNumbers(std::span<const std::uint8_t> bytes)
      : bytes_(bytes), little_(!bytes.empty() && bytes[0] == 'I') {}

  std::uint32_t number(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      value = value << 8 | bytes_[at + (little_ ? size - 1 - i : i)];
    }
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool little_;
};

}  // namespace

void draw_over_white(std::vector<std::uint8_t>& rgba) {
  const std::size_t pixels = rgba.size() / 4;
  for (std::size_t i = 0; i < pixels; ++i) {
    const int alpha = rgba[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c) rgba[3 * i + c] = over_white(rgba[4 * i + c], alpha);
  }
  rgba.resize(3 * pixels);
}

int exif_orientation(std::span<const std::uint8_t> exif) {
  constexpr std::uint32_t kOrientation = 0x0112;
  constexpr std::uint32_t kShort = 3;
  constexpr std::size_t kEntry = 12;
  const TiffNumbers tiff(exif);
  if (tiff.number(2, 2) != 42) return 1;
  const std::size_t directory = tiff.number(4, 4);
  const std::size_t entries = tiff.number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntry;
    if (tiff.number(entry, 2) != kOrientation) continue;
    const std::uint32_t value = tiff.number(entry + 2, 2) == kShort ? tiff.number(entry + 8, 2) : 0;
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Image oriented(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  const bool on_its_side = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation >= 7;
  const bool from_below =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const auto height = static_cast<std::size_t>(image.height);
  const auto width = static_cast<std::size_t>(image.width);
  Image result{image.height, image.width, std::vector<std::uint8_t>(image.pixels.size())};
  if (on_its_side) std::swap(result.height, result.width);
  std::uint8_t* out = result.pixels.data();
  for (std::size_t y = 0; y < static_cast<std::size_t>(result.height); ++y) {
    for (std::size_t x = 0; x < static_cast<std::size_t>(result.width); ++x) {
      const std::size_t row = on_its_side ? x : y;
      const std::size_t column = on_its_side ? y : x;
      const std::size_t from = (from_below ? height - 1 - row : row) * width +
                               (from_right ? width - 1 - column : column);
      out = std::copy_n(image.pixels.data() + 3 * from, 3, out);
    }
  }
  return result;
}

}  // namespace sluice
