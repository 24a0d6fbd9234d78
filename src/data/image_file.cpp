#include <new>

#include "base/fail.h"
#include "base/files.h"
#include "base/parallel.h"
#include "base/text.h"
#include "data/image_codecs.h"
#include "data/read_images.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kMaxPixels = std::int64_t{64} * 1000 * 1000;
constexpr std::int64_t kMaxSide = 65535;
/// No valid file of 64 megapixels needs more.
constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{512} << 20;

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
                               kMaxPixels / 1000000, kMaxSide),
                   "shrink it");
  }
}

Image read_image(const fs::path& path) {
  size_of_file(path, "image");  // refuses pipes and devices
  const std::string file = read_file(path, kMaxFileBytes, "image");
  const std::string name = path.string();
  if (file.empty()) throw BadImage(name, "is empty");
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  const std::string_view kind = kind_of_file(file);
  if (kind == "PNG") return decode_png(bytes, name);
  if (kind == "JPEG") return decode_jpeg(bytes, name);
  if (kind.empty()) {
    throw BadImage(name, "is neither PNG nor JPEG, whatever its name", "convert it");
  }
  throw BadImage(name, fmt::format("is {}", kind), "convert it to PNG or JPEG, or replace it");
}

std::vector<std::optional<Error>> read_images(
    std::span<const std::filesystem::path> files,
    const std::function<void(std::size_t, const Image&)>& take) {
  std::vector<std::optional<Error>> faults(files.size());
  const auto read = [&](std::size_t i) {
    try {
      take(i, read_image(files[i]));
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
