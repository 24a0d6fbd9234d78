#include "cli/short_waits.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace sluice::cli {

namespace {

// Left to itself a thread spins for milliseconds, at each of a hundred loops a step: in vain where
// the thread it waits for has no core, because other programs have them. docs/performance.md has
// the numbers.
constexpr const char* kTurns = "1000";

}  // namespace

void wait_briefly(char** argv) {
  if (getenv("GOMP_SPINCOUNT") != nullptr || getenv("OMP_WAIT_POLICY") != nullptr) return;
  std::error_code none;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", none);
  if (none || setenv("GOMP_SPINCOUNT", kTurns, 1) != 0) return;
  execv(program.c_str(), argv);  // returns only where it fails: then the threads spin
}

}  // namespace sluice::cli
