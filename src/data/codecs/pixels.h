#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sluice/dataset.h"

namespace sluice {

/// Draws a colour of 8 bits over white, rounded: the result of Pillow's alpha_composite(), which
/// blends sRGB values as they are.
inline std::uint8_t over_white(int colour, int alpha) {
  return static_cast<std::uint8_t>((colour * alpha + 255 * (255 - alpha) + 127) / 255);
}

/// Draws R, G, B, A over white, in place.
void draw_over_white(std::vector<std::uint8_t>& rgba);

/// Returns the orientation, 1 to 8, of an EXIF block, which is a small TIFF file; 1 if it has none
/// or is broken.
int exif_orientation(std::span<const std::uint8_t> exif);

/// Returns the image as `orientation`, 1 to 8, says that it is to be seen.
Image oriented(Image image, int orientation);

}  // namespace sluice
