#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/fail.h"
#include "data/codecs/pixels.h"
#include "data/image_codecs.h"

namespace sluice {

namespace {

constexpr const char* kTiff = "TIFF";

/// A file in memory, as libtiff reads it, and its first error.
struct TiffSource {
  std::span<const std::uint8_t> bytes;
  std::uint64_t at = 0;
  std::string error{};
};

TiffSource& source_of(thandle_t handle) {
  return *static_cast<TiffSource*>(handle);
}

tmsize_t read_tiff(thandle_t handle, void* to, tmsize_t count) {
  TiffSource& source = source_of(handle);
  const std::uint64_t left = source.at < source.bytes.size() ? source.bytes.size() - source.at : 0;
  const auto size = std::min<std::uint64_t>(left, static_cast<std::uint64_t>(count));
  if (size > 0) std::memcpy(to, source.bytes.data() + source.at, size);
  source.at += size;
  return static_cast<tmsize_t>(size);
}

tmsize_t refuse_write(thandle_t, void*, tmsize_t) {
  return 0;
}

toff_t seek_tiff(thandle_t handle, toff_t offset, int from) {
  TiffSource& source = source_of(handle);
  source.at = from == SEEK_SET   ? offset
              : from == SEEK_CUR ? source.at + offset
                                 : source.bytes.size() + offset;
  return source.at;
}

int close_tiff(thandle_t) {
  return 0;
}

toff_t size_of_tiff(thandle_t handle) {
  return source_of(handle).bytes.size();
}

/// Gives libtiff the memory itself; files are opened for reading, so that it does not write to it.
int map_tiff(thandle_t handle, void** base, toff_t* size) {
  *base = const_cast<std::uint8_t*>(source_of(handle).bytes.data());
  *size = source_of(handle).bytes.size();
  return 1;
}

void unmap_tiff(thandle_t, void*, toff_t) {}

int take_tiff_error(TIFF*, void* source, const char*, const char* format, va_list values) {
  auto& error = static_cast<TiffSource*>(source)->error;
  char message[200];
  if (std::vsnprintf(message, sizeof message, format, values) > 0 && error.empty()) error = message;
  return 1;  // nothing else is to report it
}

int ignore_tiff_warning(TIFF*, void*, const char*, const char*, va_list) {
  return 1;
}

struct CloseTiff {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
using Tiff = std::unique_ptr<TIFF, CloseTiff>;

Tiff open_tiff(TiffSource& source) {
  constexpr tmsize_t kMostAtOnce = tmsize_t{1} << 30;  // for a hostile file's strips
  const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                             TIFFOpenOptionsFree);
  if (!options) throw machine_error("image", "cannot start the TIFF decoder: free some memory");
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMostAtOnce);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), take_tiff_error, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore_tiff_warning, nullptr);
  return Tiff(TIFFClientOpenExt("", "r", &source, read_tiff, refuse_write, seek_tiff, close_tiff,
                                size_of_tiff, map_tiff, unmap_tiff, options.get()));
}

}  // namespace

Image decode_tiff(const EncodedImage& file) {
  TiffSource source{file.bytes};
  const auto fault = [&] {
    const bool ends = source.error.find("ead error") != std::string::npos;
    return ends ? file.cut_short(kTiff) : file.broken(kTiff, source.error);
  };
  const Tiff tiff = open_tiff(source);
  if (!tiff) throw fault();
  std::uint32_t height = 0;
  std::uint32_t width = 0;
  TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &height);
  TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &width);
  std::uint16_t orientation = 1;
  TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_ORIENTATION, &orientation);
  constexpr int kStrips = 4;  // bytes for a pixel of one strip or tile, which may be the image
  file.begin(height, width, orientation, 4 + kStrips + (orientation == 1 ? 0 : 3));

  TIFFRGBAImage reader;
  char reason[1024] = "";
  if (TIFFRGBAImageBegin(&reader, tiff.get(), 1, reason) == 0) {
    if (source.error.empty()) source.error = reason;
    throw fault();
  }
  const std::unique_ptr<TIFFRGBAImage, void (*)(TIFFRGBAImage*)> end(&reader, TIFFRGBAImageEnd);
  reader.req_orientation = reader.orientation;  // rows as stored; turned() does the rest
  // libtiff gives R, G, B, A, multiplied by alpha, in the bytes of a 32-bit number.
  Image image{static_cast<int>(height), static_cast<int>(width), {}};
  image.pixels.resize(std::size_t{4} * height * width);
  auto* raster = reinterpret_cast<std::uint32_t*>(image.pixels.data());
  if (TIFFRGBAImageGet(&reader, raster, width, height) == 0) throw fault();
  const std::size_t pixels = std::size_t{height} * width;
  for (std::size_t i = 0; i < pixels; ++i) {
    std::uint32_t rgba = 0;
    std::memcpy(&rgba, &image.pixels[4 * i], sizeof rgba);
    const std::uint32_t white = 255 - TIFFGetA(rgba);
    const std::uint32_t rgb[]{TIFFGetR(rgba), TIFFGetG(rgba), TIFFGetB(rgba)};
    for (std::size_t c = 0; c < 3; ++c) {
      image.pixels[3 * i + c] = static_cast<std::uint8_t>(std::min(255u, rgb[c] + white));
    }
  }
  image.pixels.resize(3 * pixels);
  return file.turned(std::move(image), orientation);
}

}  // namespace sluice
