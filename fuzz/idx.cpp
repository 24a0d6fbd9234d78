#include "data/arrays/idx.h"

#include "fuzz/memory_file.h"
#include "fuzz/targets.h"

namespace sluice::fuzz {

bool idx(std::string_view bytes) {
  constexpr std::size_t kInflation = 1032;  // of gzip
  const MemoryFile file(bytes);
  const auto images = read_or_refuse(file.path(), 6 * kInflation * bytes.size() + (64 << 20),
                                     [&] { return read_idx_images(file.path()); });
  if (!images) return false;
  const auto size = static_cast<std::size_t>(element_count(images->shape));
  require(size > 0 && images->pixels.size() % size == 0, "part of an image");
  return true;
}

}  // namespace sluice::fuzz
