#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sluice/dataset.h"

namespace sluice {

/// Throws Error (user) if an image of this size is empty or too large to be read. Codecs call it
/// with what the header says, before they take memory.
void check_image_size(const std::string& name, std::int64_t height, std::int64_t width);

/// The bytes of a whole file; `name` is for messages. Throw Error (user) if they are broken.
Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name);
Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name);

/// The bytes of a file of (height, width, 3) pixels, already checked against the size.
std::string encode_png(std::span<const std::uint8_t> pixels, int height, int width);

}  // namespace sluice
