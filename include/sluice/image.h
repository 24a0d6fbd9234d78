#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace sluice {

/// A picture in colour.
struct Image {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;  ///< (height, width, 3), in the order R, G, B
};

/// Reads a PNG or JPEG file; which of the two its first bytes say, not its name. Every kind becomes
/// 8-bit RGB: grey and palettes are spread out, 16 bits rounded to 8, transparent parts shown over
/// white, CMYK converted without a profile. A camera's note on orientation is ignored, as Keras
/// does. Refused before memory is taken: more than 64 megapixels, a side above 65,535. Throws Error
/// naming the file: user for one that is missing, broken or too large, machine for the disk. May be
/// called from several threads.
Image read_image(const std::filesystem::path& path);

/// The whole image at another size; the aspect ratio is not kept, as in Keras's
/// image_dataset_from_directory. The same size is an exact copy. When shrinking, every pixel counts
/// (a triangle filter as wide as the ratio). Throws Error (user) for a size below 1.
Image resized(const Image& image, int height, int width);

/// Writes (height, width, 3) pixels as a PNG file, over an old one; under another name until it is
/// whole. Throws Error: user if the sizes do not fit, machine if it cannot be written.
void write_png(const std::filesystem::path& path, std::span<const std::uint8_t> pixels, int height,
               int width);

}  // namespace sluice
