#include <png.h>

#include <csetjmp>
#include <cstring>
#include <string_view>

#include "base/fail.h"
#include "data/codecs/pixels.h"
#include "data/image_codecs.h"

namespace sluice {

namespace {

constexpr const char* kPng = "PNG";

/// The part of a file that libpng has not read yet, and its last error.
struct PngSource {
  std::span<const std::uint8_t> left;
  bool ended = false;
  char error[128] = "";
};

void read_png_bytes(png_structp png, png_bytep to, png_size_t count) {
  auto* source = static_cast<PngSource*>(png_get_io_ptr(png));
  if (count > source->left.size()) {
    source->ended = true;
    png_error(png, "the file ends");
  }
  std::memcpy(to, source->left.data(), count);
  source->left = source->left.subspan(count);
}

[[noreturn]] void take_png_error(png_structp png, png_const_charp message) {
  auto* source = static_cast<PngSource*>(png_get_error_ptr(png));
  std::strncpy(source->error, message, sizeof source->error - 1);
  png_longjmp(png, 1);
}

void ignore_png_warning(png_structp, png_const_charp) {}

/// libpng's full interface: the simplified one applies the gamma chunk and blends transparent parts
/// in linear light, which Pillow and TensorFlow do not.
class PngReader {
 public:
  explicit PngReader(std::span<const std::uint8_t> bytes)
      : source_{bytes},
        png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, &source_, take_png_error,
                                    ignore_png_warning)),
        info_(png_ != nullptr ? png_create_info_struct(png_) : nullptr) {
    if (info_ == nullptr) {
      throw machine_error("image", "cannot start the PNG decoder: free some memory");
    }
    png_set_read_fn(png_, &source_, read_png_bytes);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  /// Calls libpng. Returns false if it fails, which jumps out of `calls`: they must not own
  /// anything.
  template <class Calls>
  bool succeeds(const Calls& calls) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    calls(png_, info_);
    return true;
  }
  const PngSource& source() const { return source_; }

 private:
  PngSource source_;
  png_structp png_;
  png_infop info_;
};

BadImage fault_of_png(const EncodedImage& file, const PngReader& reader) {
  if (reader.source().ended) return file.cut_short(kPng);
  return file.broken(kPng, reader.source().error);
}

std::uint32_t big_endian(std::span<const std::uint8_t> bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | bytes[3];
}

/// Returns the orientation of the chunk eXIf, which may stand before or after the pixels.
int orientation_of_png(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kSignature = 8;
  constexpr std::size_t kAround = 12;  // length, type and checksum
  for (std::size_t at = kSignature; bytes.size() >= at + kAround;) {
    const std::size_t length = big_endian(bytes.subspan(at));
    if (length > bytes.size() - at - kAround) return 1;
    if (std::memcmp(&bytes[at + 4], "eXIf", 4) == 0) {
      return exif_orientation(bytes.subspan(at + 8, length));
    }
    at += length + kAround;
  }
  return 1;
}

/// libpng's simplified interface, which writes and returns messages instead of printing them.
class PngWriter {
 public:
  PngWriter() { image_.version = PNG_IMAGE_VERSION; }
  ~PngWriter() { png_image_free(&image_); }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  png_image* operator->() { return &image_; }
  png_image* get() { return &image_; }

 private:
  png_image image_{};
};

}  // namespace

Image decode_png(const EncodedImage& file) {
  PngReader reader(file.bytes);
  png_uint_32 height = 0;
  png_uint_32 width = 0;
  int channels = 0;
  int passes = 0;
  const bool started = reader.succeeds([&](png_structp png, png_infop info) {
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // begin() has limits of its own
    png_read_info(png, info);
    png_set_expand(png);    // palettes, fewer bits than 8, transparent colours
    png_set_scale_16(png);  // 16 bits, rounded
    png_set_gray_to_rgb(png);
    passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    height = png_get_image_height(png, info);
    width = png_get_image_width(png, info);
    channels = png_get_channels(png, info);
  });
  if (!started) throw fault_of_png(file, reader);
  const int orientation = orientation_of_png(file.bytes);
  file.begin(height, width, orientation, channels + (orientation == 1 ? 0 : 3));
  Image image{static_cast<int>(height), static_cast<int>(width), {}};
  const std::size_t row = std::size_t{width} * static_cast<std::size_t>(channels);
  image.pixels.resize(row * height);
  const bool finished = reader.succeeds([&](png_structp png, png_infop) {
    for (int pass = 0; pass < passes; ++pass) {
      for (std::size_t y = 0; y < height; ++y) {
        png_read_row(png, image.pixels.data() + y * row, nullptr);
      }
    }
  });
  if (!finished) throw fault_of_png(file, reader);
  if (channels == 4) draw_over_white(image.pixels);
  return file.turned(std::move(image), orientation);
}

std::string encode_png(std::span<const std::uint8_t> pixels, int height, int width) {
  PngWriter png;
  png->height = static_cast<png_uint_32>(height);
  png->width = static_cast<png_uint_32>(width);
  png->format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(*png.get());
  std::string bytes(size, '\0');
  if (!png_image_write_to_memory(png.get(), bytes.data(), &size, 0, pixels.data(), 0, nullptr)) {
    throw machine_error("image", "cannot encode a PNG: {}", png->message);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace sluice
