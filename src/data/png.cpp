#include <png.h>

#include <string_view>

#include "base/fail.h"
#include "data/image_codecs.h"

namespace sluice {

namespace {

/// libpng's simplified interface: it has no setjmp, and returns messages instead of printing them.
class PngImage {
 public:
  PngImage() { image_.version = PNG_IMAGE_VERSION; }
  ~PngImage() { png_image_free(&image_); }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;

  png_image* operator->() { return &image_; }
  png_image* get() { return &image_; }

 private:
  png_image image_{};
};

BadImage broken(const std::string& name, PngImage& image) {
  if (std::string_view(image->message).find("beyond end") != std::string_view::npos) {
    return {name, "is cut short: it is a PNG without its end"};
  }
  return {name, fmt::format("is a broken PNG: {}", image->message)};
}

}  // namespace

Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name) {
  PngImage png;
  if (!png_image_begin_read_from_memory(png.get(), bytes.data(), bytes.size())) {
    throw broken(name, png);
  }
  check_image_size(name, png->height, png->width);
  png->format = PNG_FORMAT_RGB;
  // By default, libpng reads untagged 16-bit files as linear light, which makes them too bright.
  png->flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  const png_color white{255, 255, 255};
  Image image{static_cast<int>(png->height), static_cast<int>(png->width), {}};
  image.pixels.resize(PNG_IMAGE_SIZE(*png.get()));
  if (!png_image_finish_read(png.get(), &white, image.pixels.data(), 0, nullptr)) {
    throw broken(name, png);
  }
  return image;
}

std::string encode_png(std::span<const std::uint8_t> pixels, int height, int width) {
  PngImage png;
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
