#include "fuzz/memory_file.h"
#include "fuzz/targets.h"
#include "sluice/lab/run_folder.h"

namespace sluice::fuzz {
namespace {

/// Measured: 260 per byte for lines of `a=1`, each a key, a node and a position of toml++. The
/// constant is for messages, which list all keys.
constexpr std::size_t kBytesPerByte = 512;
constexpr std::size_t kConstant = 131'072;

}  // namespace

bool experiment(std::string_view bytes) {
  const MemoryFile file(bytes);
  const auto experiment = read_or_refuse(file.path(), kBytesPerByte * bytes.size() + kConstant,
                                         [&] { return read_experiment(file.path()); });
  if (!experiment) return false;
  const MemoryFile written(to_toml(*experiment));
  require(difference(read_experiment(written.path()), *experiment).empty(),
          "another experiment after writing");
  return true;
}

}  // namespace sluice::fuzz
