#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/fail.h"
#include "data/files.h"
#include "data/image_codecs.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kMaxPixels = std::int64_t{64} * 1000 * 1000;
constexpr std::int64_t kMaxSide = 65535;
/// No honest file of 64 megapixels needs more.
constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{512} << 20;

constexpr std::array<std::uint8_t, 8> kPngHead{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
constexpr std::array<std::uint8_t, 3> kJpegHead{0xff, 0xd8, 0xff};

template <std::size_t n>
bool starts_with(const std::vector<std::uint8_t>& bytes, const std::array<std::uint8_t, n>& head) {
  return bytes.size() >= n && std::equal(head.begin(), head.end(), bytes.begin());
}

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
  const std::vector<std::uint8_t> bytes = read_file(path, "image", kMaxFileBytes);
  const std::string name = path.string();
  if (bytes.empty()) throw user_error("image", "{} is empty: replace or delete it", name);
  if (starts_with(bytes, kPngHead)) return decode_png(bytes, name);
  if (starts_with(bytes, kJpegHead)) return decode_jpeg(bytes, name);
  throw user_error("image", "{} is neither PNG nor JPEG, whatever its name: convert it", name);
}

void write_png(const fs::path& path, std::span<const std::uint8_t> pixels, int height, int width) {
  check_image_size(path.string(), height, width);
  const std::size_t due = std::size_t{3} * static_cast<std::size_t>(height) * width;
  if (pixels.size() != due) {
    throw user_error("image", "{}: {} bytes for {} x {} pixels: give {}", path.string(),
                     pixels.size(), width, height, due);
  }
  const std::vector<std::uint8_t> bytes = encode_png(pixels, height, width);
  const fs::path part = path.string() + "." + std::to_string(::getpid()) + ".part";
  try {
    OutputFile(part, OutputFile::Mode::replace, "image").write(bytes);
    rename_file(part, path, "image");
  } catch (...) {
    std::error_code ignored;
    fs::remove(part, ignored);
    throw;
  }
}

}  // namespace sluice
