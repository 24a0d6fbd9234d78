#include <algorithm>

#include "fuzz/memory_file.h"
#include "fuzz/targets.h"
#include "sluice/exchange.h"

namespace sluice::fuzz {
namespace {

/// Limit for this process: the file, the answer of the reading process (at most 8 times the file's
/// size plus texts, twice while it grows), the model, and JSON of a text with up to 16 times the
/// file's size, 64 bytes per byte, but at most 300,000 values. The system limits the memory of the
/// reading process.
std::size_t limit(std::size_t size) {
  return 64 * size + std::min<std::size_t>(1024 * size + (4 << 20), 48 << 20);
}

}  // namespace

bool keras(std::string_view bytes) {
  const MemoryFile file(bytes);
  const KerasOptions options{.groups = {"b", "a"}, .input = {4, 4, 3}};
  return read_or_refuse(file.path(), limit(bytes.size()),
                        [&] { return import_keras(file.path(), options); })
      .has_value();
}

}  // namespace sluice::fuzz
