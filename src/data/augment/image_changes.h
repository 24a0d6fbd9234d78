#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sluice/shape.h"

namespace sluice {

// Changes of one image, (height, width, channels).

/// Where the output pixels of one axis come from: the crop [begin, begin + size), enlarged to the
/// whole axis, moved by `shift` pixels, and mirrored.
struct Placement {
  int begin = 0;
  int size = 0;
  int shift = 0;  ///< towards larger coordinates, by less than the axis' length
  bool mirrored = false;
};

/// The two input pixels of an output pixel along one axis, for linear interpolation.
struct Tap {
  int first = 0;
  int second = 0;
  float weight = 0;  ///< of `second`; that of `first` is the rest
};

/// Fills the taps of each output pixel, and reuses their memory. Edges are reflected without
/// repeating the outermost pixel; enlarging is bilinear with pixel centres at halves, as PyTorch's.
void fill_taps(const Placement& placement, int length, std::vector<Tap>& taps);

/// Writes the image at the taps' places as floats in [0, 1].
void place_image(std::span<const std::uint8_t> pixels, const Shape& shape,
                 std::span<const Tap> rows, std::span<const Tap> columns, std::span<float> out);

/// torchvision's adjust_brightness(): multiplies and clamps to [0, 1].
void adjust_brightness(std::span<float> image, float factor);

/// torchvision's adjust_contrast(): scales the distance from the mean of the grey image.
void adjust_contrast(std::span<float> image, int channels, float factor);

/// Fills a square of `side` pixels around (y, x), clipped to the image, with a colour. A square
/// with an even side has one pixel more above and to the left of (y, x) than below and to the
/// right, as in the code of DeVries and Taylor.
void cut_out(std::span<float> image, const Shape& shape, int y, int x, int side,
             std::span<const float> colour);

}  // namespace sluice
