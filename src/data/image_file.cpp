#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "base/fail.h"
#include "base/file_kind.h"
#include "base/files.h"
#include "base/machine.h"
#include "base/parallel.h"
#include "base/text.h"
#include "data/codecs/pixels.h"
#include "data/image_codecs.h"
#include "data/read_images.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

/// Above twice its MAX_IMAGE_PIXELS, Pillow refuses a picture as a decompression bomb.
constexpr std::int64_t kMaxPixels = std::int64_t{2} * 89'478'485;
constexpr std::int64_t kMaxSide = 65535;
constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{1} << 30;

struct Format {
  std::string_view kind;  ///< FileKind::words
  Image (*decode)(const EncodedImage&);
};

constexpr std::array kFormats{
    Format{"a JPEG picture", decode_jpeg}, Format{"a PNG picture", decode_png},
    Format{"a WebP picture", decode_webp}, Format{"a BMP picture", decode_bmp},
    Format{"a GIF picture", decode_gif},   Format{"a TIFF picture", decode_tiff}};

BadImage no_picture(const std::string& name, FileKind kind) {
  if (kind.of == FileKind::Of::other_picture) {
    return {name, fmt::format("is {}, which Sluice does not read", kind.words),
            "convert it to JPEG"};
  }
  if (kind.of == FileKind::Of::pointer) {
    return {name, fmt::format("is {}", kind.words), "fetch the file itself with `git lfs pull`"};
  }
  if (kind.known()) return {name, fmt::format("is {}, not a picture", kind.words)};
  return {name, "is no picture of a known format, whatever its name"};
}

}  // namespace

BadImage::BadImage(const std::string& name, const std::string& fault, std::string_view mend)
    : Error(user_error("image", "{} {}: {}", name, fault, mend)),
      kind_(fault.substr(0, fault.find(": "))) {}

void check_image_size(const std::string& name, std::int64_t height, std::int64_t width) {
  if (height < 1 || width < 1) {
    throw BadImage(name, fmt::format("has {} x {} pixels", width, height));
  }
  if (height > kMaxSide || width > kMaxSide || height * width > kMaxPixels) {
    throw BadImage(name,
                   fmt::format("has {} x {} pixels, above {} million or {} a side", width, height,
                               kMaxPixels / 1'000'000, kMaxSide),
                   "shrink it");
  }
}

BadImage EncodedImage::broken(std::string_view format, std::string_view reason) const {
  return {name, fmt::format("is a broken {}: {}", format, printable(std::string(reason)))};
}

BadImage EncodedImage::cut_short(std::string_view format) const {
  return {name, fmt::format("is cut short: it is a {} without its end", format)};
}

void EncodedImage::begin(std::int64_t height, std::int64_t width, int orientation,
                         int bytes_per_pixel, std::uint64_t more) const {
  check_image_size(name, height, width);
  if (header != nullptr) {
    *header = {static_cast<int>(height), static_cast<int>(width), orientation};
    if (orientation >= 5) std::swap(header->height, header->width);
    throw HeaderOnly();
  }
  if (memory == nullptr) return;
  memory->take(bytes.size() + static_cast<std::uint64_t>(height * width * bytes_per_pixel) + more);
}

Image EncodedImage::turned(Image image, int orientation) const {
  return options.exif_orientation ? oriented(std::move(image), orientation) : std::move(image);
}

Image decode_image(const EncodedImage& file) {
  if (file.bytes.empty()) throw BadImage(file.name, "is empty");
  const std::string_view text(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
  const FileKind kind = kind_of(text.substr(0, kKindBytes));
  const auto format = std::ranges::find(kFormats, std::string_view(kind.words), &Format::kind);
  if (format == kFormats.end()) throw no_picture(file.name, kind);
  return format->decode(file);
}

Image read_image(const fs::path& path, const ReadOptions& options) {
  return read_image(path, options, nullptr);
}

namespace {

Image decode_file(const fs::path& path, const ReadOptions& options, MemoryBudget::Share* memory,
                  PictureHeader* header) {
  size_of_file(path, "image");  // refuses pipes and devices
  const std::string file = read_file(path, kMaxFileBytes, "image");
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  return decode_image({bytes, path.string(), options, memory, header});
}

}  // namespace

Image read_image(const fs::path& path, const ReadOptions& options, MemoryBudget::Share* memory) {
  return decode_file(path, options, memory, nullptr);
}

std::vector<PictureHeader> read_picture_headers(std::span<const fs::path> files) {
  std::vector<PictureHeader> headers(files.size());
  parallel_for(files.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      try {
        decode_file(files[i], {}, nullptr, &headers[i]);
      } catch (const EncodedImage::HeaderOnly&) {
        continue;
      } catch (const std::exception&) {
        headers[i] = {};  // load_data() says what is wrong with the file
      }
    }
  });
  return headers;
}

std::uint64_t decoding_memory() {
  return usable_memory_bytes() / 4;
}

std::vector<std::optional<Error>> read_images(
    std::span<const std::filesystem::path> files, const ReadOptions& options,
    const std::function<void(std::size_t, const Image&)>& take) {
  std::vector<std::optional<Error>> faults(files.size());
  MemoryBudget budget(decoding_memory());
  const auto read = [&](std::size_t i) {
    try {
      MemoryBudget::Share share(budget);
      take(i, read_image(files[i], options, &share));
    } catch (const Error& error) {
      faults[i] = error;
    } catch (const std::bad_alloc&) {
      faults[i] =
          machine_error("image", "{}: out of memory: close other programs", path_text(files[i]));
    }
  };
  parallel_for(files.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) read(i);
  });
  return faults;
}

void write_png(const fs::path& path, std::span<const std::uint8_t> pixels, int height, int width) {
  check_image_size(path.string(), height, width);
  const std::size_t due = std::size_t{3} * static_cast<std::size_t>(height) * width;
  if (pixels.size() != due) {
    throw user_error("image", "{}: {} bytes for {} x {} pixels: give {}", path.string(),
                     pixels.size(), width, height, due);
  }
  write_file(path, encode_png(pixels, height, width));
}

}  // namespace sluice
