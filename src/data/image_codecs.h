#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/error.h"

namespace sluice {

/// A file that is not a readable picture. The message is "<name> <fault>: <mend>".
class BadImage : public Error {
 public:
  BadImage(const std::string& name, const std::string& fault,
           std::string_view mend = "replace or delete it");

  /// Returns the fault without its details: "is WebP". Messages group files by it.
  const std::string& kind() const { return kind_; }

 private:
  std::string kind_;
};

/// Throws BadImage if an image of this size is empty or too large. Codecs call it with the header's
/// size, before they allocate memory.
void check_image_size(const std::string& name, std::int64_t height, std::int64_t width);

/// Identifies a file by its first bytes: "WebP", "HTML"; empty if unknown.
std::string_view kind_of_file(std::string_view bytes);

/// Decode the bytes of a whole file; `name` is for messages. Throw BadImage if they are broken.
Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name);
Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name);

/// Encodes (height, width, 3) pixels, whose number the caller has checked.
std::string encode_png(std::span<const std::uint8_t> pixels, int height, int width);

}  // namespace sluice
