#include "data/augment/image_changes.h"

#include <algorithm>
#include <cmath>

namespace sluice {

namespace {

int reflected(int place, int length) {
  if (place < 0) return -place;
  return place < length ? place : 2 * (length - 1) - place;
}

}  // namespace

void fill_taps(const Placement& placement, int length, std::vector<Tap>& taps) {
  taps.resize(static_cast<std::size_t>(length));
  const float ratio = static_cast<float>(placement.size) / static_cast<float>(length);
  for (int out = 0; out < length; ++out) {
    const int unmirrored = placement.mirrored ? length - 1 - out : out;
    const int enlarged = reflected(unmirrored - placement.shift, length);
    const float centre = std::max(0.f, (static_cast<float>(enlarged) + 0.5f) * ratio - 0.5f);
    const int first = std::min(static_cast<int>(centre), placement.size - 1);
    const int second = std::min(first + 1, placement.size - 1);
    taps[out] = {placement.begin + first, placement.begin + second,
                 centre - static_cast<float>(first)};
  }
}

void place_image(std::span<const std::uint8_t> pixels, const Shape& shape,
                 std::span<const Tap> rows, std::span<const Tap> columns, std::span<float> out) {
  const auto channels = static_cast<int>(shape[2]);
  const auto row_size = static_cast<std::size_t>(shape[1] * shape[2]);
  const auto interpolates = [](const Tap& tap) { return tap.weight != 0; };
  const bool copies =
      std::ranges::none_of(rows, interpolates) && std::ranges::none_of(columns, interpolates);
  float* dst = out.data();
  for (const Tap& row : rows) {
    const std::uint8_t* above = pixels.data() + row_size * row.first;
    const std::uint8_t* below = pixels.data() + row_size * row.second;
    for (const Tap& column : columns) {
      const int left = column.first * channels;
      const int right = column.second * channels;
      for (int c = 0; c < channels; ++c) {
        float value = above[left + c];
        if (!copies) {
          const float to_right = static_cast<float>(above[right + c]) - value;
          const float upper = value + to_right * column.weight;
          const float start = below[left + c];
          const float lower =
              start + (static_cast<float>(below[right + c]) - start) * column.weight;
          value = upper + (lower - upper) * row.weight;
        }
        *dst++ = value / 255.f;
      }
    }
  }
}

void adjust_brightness(std::span<float> image, float factor) {
  for (float& value : image) value = std::min(1.f, value * factor);
}

void adjust_contrast(std::span<float> image, int channels, float factor) {
  constexpr float kLuma[] = {0.2989f, 0.587f, 0.114f};  // of R, G, B, as torchvision's
  double sum = 0;
  const auto step = static_cast<std::size_t>(channels);
  for (std::size_t i = 0; i < image.size(); i += step) {
    sum += channels != 3 ? image[i]
                         : kLuma[0] * image[i] + kLuma[1] * image[i + 1] + kLuma[2] * image[i + 2];
  }
  const float rest =
      (1 - factor) * static_cast<float>(sum * channels / static_cast<double>(image.size()));
  for (float& value : image) value = std::clamp(factor * value + rest, 0.f, 1.f);
}

void cut_out(std::span<float> image, const Shape& shape, int y, int x, int side,
             std::span<const float> colour) {
  const auto height = static_cast<int>(shape[0]);
  const auto width = static_cast<int>(shape[1]);
  const int top = y - side / 2;
  const int left = x - side / 2;
  for (int row = std::max(0, top); row < std::min(height, top + side); ++row) {
    for (int column = std::max(0, left); column < std::min(width, left + side); ++column) {
      std::ranges::copy(colour, image.begin() + (std::ptrdiff_t{row} * width + column) * shape[2]);
    }
  }
}

}  // namespace sluice
