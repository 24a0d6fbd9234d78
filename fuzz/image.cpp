#include "base/files.h"
#include "data/image_codecs.h"
#include "fuzz/memory_file.h"
#include "fuzz/targets.h"

namespace sluice::fuzz {
namespace {

/// Memory limit for a picture of this many pixels: the decoder's format, a strip of a TIFF, which
/// may be the image, and RGB.
constexpr std::size_t kMostPixels = 178'956'970;
constexpr std::size_t kBytesPerPixel = 4 + 4 + 3;
constexpr std::size_t kConstant = 16 << 20;  // for the decoders

}  // namespace

bool image(std::string_view bytes) {
  const MemoryFile file(bytes);
  const ReadOptions options{.height = 32, .width = 32};  // so that large JPEG files take less time
  const auto image = read_or_refuse(file.path(), kMostPixels * kBytesPerPixel + kConstant,
                                    [&] { return read_image(file.path(), options); });
  if (!image) return false;
  const std::size_t due = std::size_t{3} * image->height * image->width;
  require(image->height > 0 && image->width > 0 && image->pixels.size() == due, "another size");
  require(resized(*image, 32, 32).pixels.size() == 3072, "another size after resizing");
  return true;
}

}  // namespace sluice::fuzz
