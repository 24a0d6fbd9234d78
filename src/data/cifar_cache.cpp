#include "data/cifar_cache.h"

#include <cstdlib>

namespace sluice {

namespace fs = std::filesystem;

fs::path cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  // The XDG specification: a relative path is to be ignored.
  if (cache != nullptr && fs::path(cache).is_absolute()) return fs::path(cache) / "sluice";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return fs::path(home) / ".cache" / "sluice";
  return {};
}

fs::path cached_cifar(const fs::path& cache) {
  return cache / "cifar-10-batches-bin";
}

}  // namespace sluice
