#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_budget.h"
#include "sluice/dataset.h"
#include "sluice/error.h"

namespace sluice {

/// A file that is not a readable picture. The message is "<name> <fault>: <mend>".
class BadImage : public Error {
 public:
  BadImage(const std::string& name, const std::string& fault,
           std::string_view mend = "replace or delete it");

  /// Returns the fault without its details: "is a HEIC picture". Messages group files by it.
  const std::string& kind() const { return kind_; }

 private:
  std::string kind_;
};

/// Throws BadImage if an image of this size is empty or too large.
void check_image_size(const std::string& name, std::int64_t height, std::int64_t width);

/// A picture's file, and how to decode it.
struct EncodedImage {
  std::span<const std::uint8_t> bytes;  ///< the whole file
  std::string name;                     ///< for messages
  ReadOptions options{};
  MemoryBudget::Share* memory = nullptr;  ///< if given, decoding waits for it
  PictureHeader* header = nullptr;        ///< if given, begin() fills it and ends decoding

  BadImage broken(std::string_view format, std::string_view reason) const;
  BadImage cut_short(std::string_view format) const;
  /// Must be called with the header's size, as stored, before memory is allocated: throws BadImage
  /// for a size that check_image_size() refuses, takes memory for `bytes_per_pixel` and `more`
  /// bytes, and throws HeaderOnly if only the header is wanted.
  struct HeaderOnly {};
  void begin(std::int64_t height, std::int64_t width, int orientation, int bytes_per_pixel,
             std::uint64_t more = 0) const;
  /// Returns the image in its EXIF orientation, 1 to 8, unless the options ignore it.
  Image turned(Image image, int orientation) const;
};

/// Identifies the format by the first bytes, and decodes it. Throws BadImage.
Image decode_image(const EncodedImage& file);

// Decoders of src/data/codecs, one per format. They throw BadImage if the file is broken.
Image decode_bmp(const EncodedImage& file);
Image decode_gif(const EncodedImage& file);  ///< the first frame
Image decode_jpeg(const EncodedImage& file);
Image decode_png(const EncodedImage& file);
Image decode_tiff(const EncodedImage& file);  ///< the first page
Image decode_webp(const EncodedImage& file);  ///< the first frame

/// Encodes (height, width, 3) pixels, whose number the caller has checked.
std::string encode_png(std::span<const std::uint8_t> pixels, int height, int width);

}  // namespace sluice
