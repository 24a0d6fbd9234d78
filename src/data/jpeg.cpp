#include <turbojpeg.h>

#include <memory>
#include <string_view>

#include "base/fail.h"
#include "data/image_codecs.h"

namespace sluice {

namespace {

struct Destroy {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Decoder = std::unique_ptr<void, Destroy>;

Error broken(const std::string& name, const Decoder& decoder) {
  return user_error("image", "{} is a broken JPEG: {}: replace or delete it", name,
                    tjGetErrorStr2(decoder.get()));
}

/// Some cameras leave padding between the parts of a file; the picture is whole all the same.
/// Everything else that libjpeg only warns of, it has made up pixels for.
bool harmless(const Decoder& decoder) {
  return tjGetErrorCode(decoder.get()) == TJERR_WARNING &&
         std::string_view(tjGetErrorStr2(decoder.get())).find("extraneous bytes") !=
             std::string_view::npos;
}

/// Ink as Adobe's programs store it, which is what nearly every such file has: 255 is no ink.
std::vector<std::uint8_t> rgb_of_inverted_cmyk(const std::vector<std::uint8_t>& ink) {
  std::vector<std::uint8_t> rgb(ink.size() / 4 * 3);
  for (std::size_t i = 0; i < ink.size() / 4; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      rgb[3 * i + c] = static_cast<std::uint8_t>(ink[4 * i + c] * ink[4 * i + 3] / 255);
    }
  }
  return rgb;
}

}  // namespace

Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name) {
  const Decoder decoder(tjInitDecompress());
  if (!decoder) throw machine_error("image", "cannot start the JPEG decoder: free some memory");
  const auto size = static_cast<unsigned long>(bytes.size());
  int width = 0;
  int height = 0;
  int subsampling = 0;
  int colours = 0;
  if (tjDecompressHeader3(decoder.get(), bytes.data(), size, &width, &height, &subsampling,
                          &colours) != 0 &&
      !harmless(decoder)) {
    throw broken(name, decoder);
  }
  if (width < 1 || height < 1) {
    throw user_error("image", "{} is a broken JPEG: it has no picture: replace or delete it", name);
  }
  check_image_size(name, height, width);
  const bool is_ink = colours == TJCS_CMYK || colours == TJCS_YCCK;
  const int format = is_ink ? TJPF_CMYK : TJPF_RGB;

  Image image{height, width, {}};
  image.pixels.resize(static_cast<std::size_t>(height) * width * tjPixelSize[format]);
  // A small hostile file can hold thousands of passes over a large image.
  constexpr int kFlags = TJFLAG_LIMITSCANS;
  if (tjDecompress2(decoder.get(), bytes.data(), size, image.pixels.data(), width, 0, height,
                    format, kFlags) != 0 &&
      !harmless(decoder)) {
    throw broken(name, decoder);
  }
  if (is_ink) image.pixels = rgb_of_inverted_cmyk(image.pixels);
  return image;
}

}  // namespace sluice
