#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>

#include "data/codecs/pixels.h"
#include "data/image_codecs.h"

namespace sluice {

namespace {

// The distribution has no library for BMP alone. The format is Microsoft's BITMAPFILEHEADER with a
// BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV4HEADER or BITMAPV5HEADER.

constexpr const char* kBmp = "BMP";

enum class Packing : std::uint32_t { none = 0, rle8 = 1, rle4 = 2, bit_fields = 3 };

/// The bits of one channel in a pixel.
struct Channel {
  std::uint32_t mask = 0;

  std::uint8_t of(std::uint32_t pixel) const {
    const int shift = std::countr_zero(mask);
    const std::uint64_t most = mask >> shift;
    return static_cast<std::uint8_t>(((pixel & mask) >> shift) * std::uint64_t{255} / most);
  }
};

struct BmpHeader {
  std::uint32_t pixels = 0;  ///< where they begin
  std::int64_t width = 0;
  std::int64_t height = 0;
  bool from_the_top = false;
  int bits = 0;  ///< of a pixel
  Packing packing = Packing::none;
  std::array<Channel, 4> channels{};  ///< red, green, blue, alpha, for 16 and 32 bits
  std::array<std::array<std::uint8_t, 3>, 256> palette{};

  std::size_t bytes_per_row() const {
    return static_cast<std::size_t>((width * bits + 31) / 32 * 4);
  }
};

/// Reads a file's numbers, and refuses those beyond its end.
class BmpReader {
 public:
  explicit BmpReader(const EncodedImage& file) : file_(file) {}

  std::uint32_t number(std::size_t at, std::size_t size) const {
    if (at > file_.bytes.size() || size > file_.bytes.size() - at) throw file_.cut_short(kBmp);
    std::uint32_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | file_.bytes[at + i];
    return value;
  }

  BmpHeader header() const {
    constexpr std::size_t kInfo = 14;  // after the file's header
    constexpr std::uint32_t kCore = 12;
    const std::uint32_t size = number(kInfo, 4);
    BmpHeader found;
    found.pixels = number(10, 4);
    if (size == kCore) {
      found.width = number(18, 2);
      found.height = number(20, 2);
      found.bits = static_cast<int>(number(24, 2));
      read_palette(kInfo + kCore, 3, 0, found);
      return found;
    }
    if (size < 40) throw file_.broken(kBmp, "its header is of an unknown kind");
    found.width = static_cast<std::int32_t>(number(18, 4));
    found.height = static_cast<std::int32_t>(number(22, 4));
    found.from_the_top = found.height < 0;
    found.height = std::abs(found.height);
    found.bits = static_cast<int>(number(28, 2));
    const std::uint32_t packing = number(30, 4);
    if (packing > 3) throw file_.broken(kBmp, "its compression is of an unknown kind");
    found.packing = static_cast<Packing>(packing);
    read_channels(size, found);
    read_palette(kInfo + size, 4, number(46, 4), found);
    return found;
  }

 private:
  /// Masks stand after the header, or in a larger one at the same place.
  void read_channels(std::uint32_t header_size, BmpHeader& found) const {
    constexpr std::size_t kMasks = 54;
    constexpr std::uint32_t kHeaderWithAlpha = 56;
    if (found.packing == Packing::bit_fields) {
      const std::size_t count = header_size >= kHeaderWithAlpha ? 4 : 3;
      for (std::size_t c = 0; c < count; ++c) found.channels[c].mask = number(kMasks + 4 * c, 4);
      for (std::size_t c = 0; c < 3; ++c) {
        if (found.channels[c].mask == 0) throw file_.broken(kBmp, "a channel has no bits");
      }
    } else if (found.bits == 16) {
      found.channels = {Channel{0x7c00}, Channel{0x3e0}, Channel{0x1f}, Channel{}};
    } else {
      found.channels = {Channel{0xff0000}, Channel{0xff00}, Channel{0xff}, Channel{}};
    }
  }

  /// Colours that are missing are grey, as in Pillow.
  void read_palette(std::size_t at, std::size_t size, std::uint32_t count, BmpHeader& found) const {
    for (std::size_t i = 0; i < 256; ++i) found.palette[i].fill(static_cast<std::uint8_t>(i));
    if (found.bits > 8 || found.bits < 1) return;
    const std::uint32_t most = 1u << found.bits;
    if (count == 0 || count > most) count = most;
    for (std::size_t i = 0; i < count; ++i, at += size) {
      if (at + 3 > found.pixels) return;
      const std::uint32_t colour = number(at, 3);
      found.palette[i] = {static_cast<std::uint8_t>(colour >> 16),
                          static_cast<std::uint8_t>(colour >> 8),
                          static_cast<std::uint8_t>(colour)};
    }
  }

  const EncodedImage& file_;
};

/// Returns the palette's numbers of a run-length encoded image, bottom row first. Pixels that the
/// file skips are 0.
std::vector<std::uint8_t> unpacked(const EncodedImage& file, const BmpHeader& header) {
  const auto width = static_cast<std::size_t>(header.width);
  const auto height = static_cast<std::size_t>(header.height);
  const bool fours = header.packing == Packing::rle4;
  std::vector<std::uint8_t> indices(width * height);
  std::size_t x = 0;
  std::size_t y = 0;
  std::size_t at = header.pixels;
  const auto next = [&] {
    if (at >= file.bytes.size()) throw file.cut_short(kBmp);
    return file.bytes[at++];
  };
  const auto put = [&](std::uint8_t index) {
    if (x < width && y < height) indices[y * width + x] = index;
    ++x;
  };
  const auto put_part = [&](std::uint8_t byte, std::size_t i) {
    put(!fours ? byte : i % 2 == 0 ? byte >> 4 : byte & 15);
  };
  while (y < height) {
    const std::size_t count = next();
    const std::uint8_t value = next();
    if (count > 0) {
      for (std::size_t i = 0; i < count; ++i) put_part(value, i);
    } else if (value == 0) {
      x = 0;
      ++y;
    } else if (value == 1) {
      break;
    } else if (value == 2) {
      x += next();
      y += next();
    } else {
      std::uint8_t byte = 0;
      for (std::size_t i = 0; i < value; ++i) {
        if (!fours || i % 2 == 0) byte = next();
        put_part(byte, i);
      }
      const std::size_t bytes = fours ? (std::size_t{value} + 1) / 2 : value;
      if (bytes % 2 == 1) next();
    }
  }
  return indices;
}

/// Converts one row of pixels that are not packed.
void convert_row(const std::uint8_t* row, const BmpHeader& header, std::uint8_t* out) {
  const auto bytes = static_cast<std::size_t>(header.bits / 8);
  for (std::size_t x = 0; x < static_cast<std::size_t>(header.width); ++x) {
    if (header.bits <= 8) {
      const std::size_t bit = x * static_cast<std::size_t>(header.bits);
      const int shift = 8 - header.bits - static_cast<int>(bit % 8);
      const std::size_t index = (row[bit / 8] >> shift) & ((1 << header.bits) - 1);
      out = std::copy_n(header.palette[index].data(), 3, out);
      continue;
    }
    const std::uint8_t* pixel = row + x * bytes;
    std::uint32_t value = 0;
    for (std::size_t i = bytes; i-- > 0;) value = value << 8 | pixel[i];
    const int alpha = header.channels[3].mask != 0 ? header.channels[3].of(value) : 255;
    for (std::size_t c = 0; c < 3; ++c) *out++ = over_white(header.channels[c].of(value), alpha);
  }
}

}  // namespace

Image decode_bmp(const EncodedImage& file) {
  const BmpHeader header = BmpReader(file).header();
  constexpr std::array kBits{1, 2, 4, 8, 16, 24, 32};
  const bool packed = header.packing == Packing::rle8 || header.packing == Packing::rle4;
  const int packed_bits = header.packing == Packing::rle8 ? 8 : 4;
  if (std::ranges::find(kBits, header.bits) == kBits.end() ||
      (packed && (header.bits != packed_bits || header.from_the_top)) ||
      (header.packing == Packing::bit_fields && header.bits != 16 && header.bits != 32)) {
    throw file.broken(kBmp, "its pixels are of an unknown kind");
  }
  file.begin(header.height, header.width, 1, packed ? 4 : 3);
  const auto height = static_cast<std::size_t>(header.height);
  const auto width = static_cast<std::size_t>(header.width);
  // Some programs leave out the padding of the last row.
  const std::size_t used = (width * static_cast<std::size_t>(header.bits) + 7) / 8;
  if (!packed && header.pixels + header.bytes_per_row() * (height - 1) + used > file.bytes.size()) {
    throw file.cut_short(kBmp);
  }
  const std::vector<std::uint8_t> indices =
      packed ? unpacked(file, header) : std::vector<std::uint8_t>();
  Image image{static_cast<int>(height), static_cast<int>(width), {}};
  image.pixels.resize(3 * height * width);
  for (std::size_t y = 0; y < height; ++y) {
    std::uint8_t* out =
        image.pixels.data() + 3 * width * (header.from_the_top ? y : height - 1 - y);
    if (!packed) {
      convert_row(&file.bytes[header.pixels + y * header.bytes_per_row()], header, out);
      continue;
    }
    for (std::size_t x = 0; x < width; ++x) {
      out = std::copy_n(header.palette[indices[y * width + x]].data(), 3, out);
    }
  }
  return image;
}

}  // namespace sluice
