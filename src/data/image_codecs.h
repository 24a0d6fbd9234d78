#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/error.h"

namespace sluice {

/// A file whose bytes are no picture that can be read. The message is "<name> <fault>: <mend>".
class BadImage : public Error {
 public:
  BadImage(const std::string& name, const std::string& fault,
           std::string_view mend = "replace or delete it");

  /// The fault without its details: "is WebP". Files that share one are told together.
  const std::string& kind() const { return kind_; }

 private:
  std::string kind_;
};

/// Throws BadImage if an image of this size is empty or too large to be read. Codecs call it with
/// what the header says, before they take memory.
void check_image_size(const std::string& name, std::int64_t height, std::int64_t width);

/// What a file is by its first bytes: "WebP", "HTML"; empty where they are not known.
std::string_view kind_of_file(std::string_view bytes);

/// The bytes of a whole file; `name` is for messages. Throw BadImage if they are broken.
Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name);
Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name);

/// The bytes of a file of (height, width, 3) pixels, already checked against the size.
std::string encode_png(std::span<const std::uint8_t> pixels, int height, int width);

}  // namespace sluice
