#include <turbojpeg.h>

#include <algorithm>
#include <array>
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

/// Whether the file ends inside one of its segments (ITU-T T.81, annex B). libjpeg invents an end
/// for such a file, and its message is about something else.
bool is_cut_short(std::span<const std::uint8_t> bytes) {
  constexpr std::uint8_t kEnd = 0xd9;
  constexpr std::uint8_t kScan = 0xda;
  for (std::size_t at = 2;;) {
    if (at + 4 > bytes.size()) return !(at + 2 == bytes.size() && bytes[at + 1] == kEnd);
    if (bytes[at] != 0xff) return false;
    const std::uint8_t marker = bytes[at + 1];
    if (marker == kEnd) return false;
    if (marker == kScan) {
      const std::array<std::uint8_t, 2> end{0xff, kEnd};
      return std::search(bytes.begin() + at, bytes.end(), end.begin(), end.end()) == bytes.end();
    }
    at += marker == 0xff ? 1 : std::size_t{2} + 256 * bytes[at + 2] + bytes[at + 3];
  }
}

BadImage broken(std::span<const std::uint8_t> bytes, const std::string& name,
                const Decoder& decoder) {
  if (is_cut_short(bytes)) return {name, "is cut short: it is a JPEG without its end"};
  return {name, fmt::format("is a broken JPEG: {}", tjGetErrorStr2(decoder.get()))};
}

/// Some cameras write padding between segments, which does not affect the picture. After any other
/// warning libjpeg has invented pixels.
bool harmless(const Decoder& decoder) {
  return tjGetErrorCode(decoder.get()) == TJERR_WARNING &&
         std::string_view(tjGetErrorStr2(decoder.get())).find("extraneous bytes") !=
             std::string_view::npos;
}

/// Converts CMYK as Adobe's programs store it, and nearly all such files: 255 is no ink.
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
    throw broken(bytes, name, decoder);
  }
  if (width < 1 || height < 1) {
    throw is_cut_short(bytes) ? broken(bytes, name, decoder)
                              : BadImage(name, "is a broken JPEG: it has no picture");
  }
  check_image_size(name, height, width);
  const bool is_ink = colours == TJCS_CMYK || colours == TJCS_YCCK;
  const int format = is_ink ? TJPF_CMYK : TJPF_RGB;

  Image image{height, width, {}};
  image.pixels.resize(static_cast<std::size_t>(height) * width * tjPixelSize[format]);
  // A small hostile file can have thousands of scans of a large image.
  constexpr int kFlags = TJFLAG_LIMITSCANS;
  if (tjDecompress2(decoder.get(), bytes.data(), size, image.pixels.data(), width, 0, height,
                    format, kFlags) != 0 &&
      !harmless(decoder)) {
    throw broken(bytes, name, decoder);
  }
  if (is_ink) image.pixels = rgb_of_inverted_cmyk(image.pixels);
  return image;
}

}  // namespace sluice
