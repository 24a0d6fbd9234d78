#include "data/arrays/tar.h"

#include "fuzz/memory_file.h"
#include "fuzz/targets.h"

namespace sluice::fuzz {

bool tar(std::string_view bytes) {
  constexpr std::size_t kInflation = 1032;  // of gzip
  const MemoryFile file(bytes);
  const auto files = read_or_refuse(file.path(), 4 * kInflation * bytes.size() + (64 << 20), [&] {
    return read_tar(file.path(), [](const std::string& name) { return !name.starts_with("x"); });
  });
  if (!files) return false;
  for (const auto& [name, content] : *files) {
    require(name.find('/') == std::string::npos, "a name with a path");
  }
  return true;
}

}  // namespace sluice::fuzz
