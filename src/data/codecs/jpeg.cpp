#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "base/fail.h"
#include "data/codecs/pixels.h"
#include "data/image_codecs.h"

namespace sluice {

namespace {

constexpr const char* kJpeg = "JPEG";

struct Destroy {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Decoder = std::unique_ptr<void, Destroy>;

/// What the segments before the pixels say (ITU-T T.81, annex B).
struct Segments {
  bool end_in_one = false;  ///< the file ends inside a segment
  bool progressive = false;
  int orientation = 1;
  std::size_t scan = 0;  ///< where the first scan begins; 0 if none was found
};

Segments segments_of(std::span<const std::uint8_t> bytes) {
  constexpr std::uint8_t kEnd = 0xd9;
  constexpr std::uint8_t kScan = 0xda;
  constexpr std::uint8_t kExif = 0xe1;
  constexpr std::uint8_t kProgressive = 0xc2;
  constexpr std::string_view kExifName("Exif\0\0", 6);
  Segments found;
  for (std::size_t at = 2;;) {
    if (at + 4 > bytes.size()) {
      found.end_in_one = !(at + 2 == bytes.size() && bytes[at + 1] == kEnd);
      return found;
    }
    const std::uint8_t marker = bytes[at + 1];
    if (bytes[at] != 0xff || marker == kEnd) return found;
    if (marker == kScan) {
      found.scan = at;
      return found;
    }
    if (marker == 0xff) {
      ++at;
      continue;
    }
    const std::size_t next = at + 2 + 256 * std::size_t{bytes[at + 2]} + bytes[at + 3];
    if (marker == kProgressive) found.progressive = true;
    if (marker == kExif && next <= bytes.size() && next >= at + 4 + kExifName.size()) {
      const auto content = bytes.subspan(at + 4, next - at - 4);
      if (std::equal(kExifName.begin(), kExifName.end(), content.begin())) {
        found.orientation = exif_orientation(content.subspan(kExifName.size()));
      }
    }
    at = next;
  }
}

/// Whether the file lacks its end. libjpeg invents an end for such a file, and its message is about
/// something else.
bool is_cut_short(std::span<const std::uint8_t> bytes, const Segments& segments) {
  if (segments.scan == 0) return segments.end_in_one;
  const std::array<std::uint8_t, 2> end{0xff, 0xd9};
  return std::search(bytes.begin() + segments.scan, bytes.end(), end.begin(), end.end()) ==
         bytes.end();
}

BadImage fault_of_jpeg(const EncodedImage& file, const Segments& segments, const char* reason) {
  if (is_cut_short(file.bytes, segments)) return file.cut_short(kJpeg);
  return file.broken(kJpeg, reason);
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

/// Returns by what a picture may be divided, 1, 2, 4 or 8, so that it stays twice as large as the
/// image that it is reduced to: then few grey levels differ from those of the whole picture.
int divisor(std::int64_t height, std::int64_t width, const ReadOptions& options, bool on_its_side) {
  if (options.height < 1 || options.width < 1) return 1;
  const std::int64_t rows = 2 * std::int64_t{on_its_side ? options.width : options.height};
  const std::int64_t columns = 2 * std::int64_t{on_its_side ? options.height : options.width};
  for (const int by : {8, 4, 2}) {
    if (height >= rows * by && width >= columns * by) return by;
  }
  return 1;
}

}  // namespace

Image decode_jpeg(const EncodedImage& file) {
  const Decoder decoder(tjInitDecompress());
  if (!decoder) throw machine_error("image", "cannot start the JPEG decoder: free some memory");
  const Segments segments = segments_of(file.bytes);
  const auto size = static_cast<unsigned long>(file.bytes.size());
  int width = 0;
  int height = 0;
  int subsampling = 0;
  int colours = 0;
  if (tjDecompressHeader3(decoder.get(), file.bytes.data(), size, &width, &height, &subsampling,
                          &colours) != 0 &&
      !harmless(decoder)) {
    throw fault_of_jpeg(file, segments, tjGetErrorStr2(decoder.get()));
  }
  if (width < 1 || height < 1) throw fault_of_jpeg(file, segments, "it has no picture");
  check_image_size(file.name, height, width);
  const bool is_ink = colours == TJCS_CMYK || colours == TJCS_YCCK;
  const int format = is_ink ? TJPF_CMYK : TJPF_RGB;
  // libjpeg keeps the coefficients of all scans.
  const std::uint64_t coefficients =
      segments.progressive ? std::uint64_t{8} * static_cast<std::uint64_t>(height) * width : 0;
  const bool on_its_side = file.options.exif_orientation && segments.orientation >= 5;
  const tjscalingfactor scale{1, divisor(height, width, file.options, on_its_side)};
  height = TJSCALED(height, scale);
  width = TJSCALED(width, scale);
  file.begin(height, width, segments.orientation, tjPixelSize[format] + 3, coefficients);

  Image image{height, width, {}};
  image.pixels.resize(static_cast<std::size_t>(height) * width * tjPixelSize[format]);
  // A small hostile file can have thousands of scans of a large image.
  constexpr int kFlags = TJFLAG_LIMITSCANS;
  if (tjDecompress2(decoder.get(), file.bytes.data(), size, image.pixels.data(), width, 0, height,
                    format, kFlags) != 0 &&
      !harmless(decoder)) {
    throw fault_of_jpeg(file, segments, tjGetErrorStr2(decoder.get()));
  }
  if (is_ink) image.pixels = rgb_of_inverted_cmyk(image.pixels);
  return file.turned(std::move(image), segments.orientation);
}

}  // namespace sluice
