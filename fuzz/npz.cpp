#include "data/arrays/zip.h"

#include "fuzz/memory_file.h"
#include "fuzz/targets.h"

namespace sluice::fuzz {

bool npz(std::string_view bytes) {
  constexpr std::size_t kInflation = 1032;  // of deflate
  const MemoryFile file(bytes);
  const auto read = read_or_refuse(file.path(), 2 * kInflation * bytes.size() + (1 << 20), [&] {
    const ZipFile zip(file.path());
    std::size_t total = 0;
    for (const std::string& name : zip.names()) total += zip.read(name).size();
    return total;
  });
  return read.has_value();
}

}  // namespace sluice::fuzz
