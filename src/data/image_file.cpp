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
/// No honest file of 64 megapixels needs more.
constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{512} << 20;

}  // namespace

void check_image_size(const std::string& name, std::int64_t height, std::int64_t width) {
  if (height < 1 || width < 1) {
    throw user_error("image", "{} has {} x {} pixels: replace or delete it", name, width, height);
  }
  if (height > kMaxSide || width > kMaxSide || height * width > kMaxPixels) {
    throw user_error("image", "{} has {} x {} pixels, above {} million or {} a side: shrink it",
                     name, width, height, kMaxPixels / 1000000, kMaxSide);
  }
}

Image read_image(const fs::path& path) {
  size_of_file(path, "image");  // refuses pipes and the like
  const std::string file = read_file(path, kMaxFileBytes, "image");
  const std::string name = path.string();
  if (file.empty()) throw user_error("image", "{} is empty: replace or delete it", name);
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  if (file.starts_with("\x89PNG\r\n\x1a\n")) return decode_png(bytes, name);
  if (file.starts_with("\xff\xd8\xff")) return decode_jpeg(bytes, name);
  throw user_error("image", "{} is neither PNG nor JPEG, whatever its name: convert it", name);
}

std::vector<std::optional<Error>> read_images(
    std::span<const std::filesystem::path> files,
    const std::function<void(std::size_t, const Image&)>& take, const std::function<bool()>& stop) {
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
    for (std::size_t i = begin; i < end && !stop(); ++i) read(i);
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
