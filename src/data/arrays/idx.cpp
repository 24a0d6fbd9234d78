#include "data/arrays/idx.h"

#include "base/fail.h"
#include "base/text.h"
#include "data/arrays/gzip.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

/// Returns the sides of an array of unsigned bytes, after its header: two zeros, the type (8), the
/// number of axes, and each side as a big-endian number of 4 bytes.
Shape read_header(GzipFile& file, std::size_t axes, const fs::path& path) {
  const std::string magic = file.take(4);
  const std::string due{'\0', '\0', '\x08', static_cast<char>(axes)};
  if (magic != due) {
    throw user_error("data", "{} is no idx file with {} of bytes: copy it again", path_text(path),
                     axes == 3 ? "images" : "labels");
  }
  Shape shape;
  for (std::size_t axis = 0; axis < axes; ++axis) {
    std::int64_t side = 0;
    for (const char c : file.take(4)) side = side << 8 | static_cast<unsigned char>(c);
    shape.push_back(side);
  }
  return shape;
}

std::string read_rest(GzipFile& file, std::uint64_t count, const fs::path& path) {
  std::string bytes = file.take(count);
  if (!file.at_end()) {
    throw user_error("data", "{} has more bytes than its header says: copy it again",
                     path_text(path));
  }
  return bytes;
}

}  // namespace

LabelledImages read_idx_images(const fs::path& path) {
  GzipFile file(path);
  const Shape shape = read_header(file, 3, path);
  constexpr std::int64_t kMostSide = 65535;
  if (shape[1] < 1 || shape[2] < 1 || shape[1] > kMostSide || shape[2] > kMostSide) {
    throw user_error("data", "{} has images of {} x {} pixels: copy it again", path_text(path),
                     shape[2], shape[1]);
  }
  const auto count = static_cast<std::uint64_t>(shape[1] * shape[2]);
  const std::string bytes = read_rest(file, count * static_cast<std::uint64_t>(shape[0]), path);
  return {{shape[1], shape[2], 1}, {bytes.begin(), bytes.end()}, {}, {}};
}

std::vector<int> read_idx_labels(const fs::path& path) {
  GzipFile file(path);
  const Shape shape = read_header(file, 1, path);
  const std::string bytes = read_rest(file, static_cast<std::uint64_t>(shape[0]), path);
  std::vector<int> labels;
  labels.reserve(bytes.size());
  for (const char c : bytes) labels.push_back(static_cast<unsigned char>(c));
  return labels;
}

}  // namespace sluice
