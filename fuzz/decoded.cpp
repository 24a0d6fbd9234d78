#include "data/decoded_cache.h"

#include <algorithm>

#include "base/digest.h"
#include "fuzz/memory_file.h"
#include "fuzz/targets.h"

namespace sluice::fuzz {
namespace {

constexpr std::size_t kImages = 3;
constexpr std::size_t kImageBytes = 5;

}  // namespace

bool decoded(std::string_view bytes) {
  // Adds the digest, which would refuse whatever is changed.
  Digest digest(Digest::Kind::sha256);
  digest.add(bytes.substr(std::min(bytes.size(), kImages * kImageBytes)));
  const MemoryFile file(std::string(bytes) + digest.digits());
  const std::filesystem::path path = file.path();
  const auto images =
      DecodedImages::open(path.parent_path(), {path.filename().string(), kImages, kImageBytes});
  if (!images) return false;
  require(images->faults().size() == kImages, "another number of images");
  std::vector<std::uint8_t> image(kImageBytes);
  try {
    for (std::size_t row = 0; row < kImages; ++row) images->read(row, image);
  } catch (const Error&) {
    return false;  // does not have its checksum
  }
  return true;
}

}  // namespace sluice::fuzz
