#include "base/machine.h"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <thread>

#include "base/fail.h"
#include "base/parallel.h"

namespace sluice {
namespace {

/// Returns the text after the separator on the first line that begins with `key`.
std::string fact(const char* file, std::string_view key, char separator) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const std::size_t at = line.find(separator);
    if (at == std::string::npos || line.compare(0, key.size(), key) != 0) continue;
    const std::size_t begin = line.find_first_not_of(" \t\"", at + 1);
    if (begin == std::string::npos) break;
    return line.substr(begin, line.find_last_not_of(" \t\"") + 1 - begin);
  }
  return {};
}

/// Returns 0 if the system does not say.
std::uint64_t physical_memory_bytes() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return 0;
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page);
}

}  // namespace

std::string version() {
  return SLUICE_VERSION;
}

Machine this_machine() {
  Machine machine;
  machine.cpu = fact("/proc/cpuinfo", "model name", ':');
  if (machine.cpu.empty()) machine.cpu = "unknown";
  machine.cores = static_cast<int>(std::thread::hardware_concurrency());
  machine.threads = settle_thread_count();
  machine.memory_bytes = physical_memory_bytes();
  machine.os = fact("/etc/os-release", "PRETTY_NAME", '=');
  utsname system{};
  if (uname(&system) == 0) {
    if (!machine.os.empty()) machine.os += ", ";
    machine.os += std::string(system.sysname) + " " + system.release + " " + system.machine;
  }
  if (machine.os.empty()) machine.os = "unknown";
#ifdef __clang__
  machine.compiler = __VERSION__;
#else
  machine.compiler = "GCC " __VERSION__;
#endif
  return machine;
}

void require_memory(std::uint64_t bytes, std::string_view mend) {
  constexpr std::uint64_t kWorthAsking = 1 << 20;
  if (bytes < kWorthAsking) return;
  const std::string free = fact("/proc/meminfo", "MemAvailable", ':');
  if (free.empty()) return;
  const std::uint64_t free_bytes = std::strtoull(free.c_str(), nullptr, 10) * 1024;
  if (bytes <= free_bytes) return;
  throw machine_error("memory",
                      "{} MB more are needed, and {} are free: close other programs, or {}",
                      bytes / 1'000'000, free_bytes / 1'000'000, mend);
}

std::uint64_t usable_memory_bytes() {
  constexpr std::uint64_t kUnknown = std::uint64_t{4} << 30;
  const std::uint64_t physical = physical_memory_bytes();
  const std::uint64_t memory = physical > 0 ? physical : kUnknown;
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return memory;
  return std::min<std::uint64_t>(memory, limit.rlim_cur);
}

std::uint64_t free_disk_bytes(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::path there = std::filesystem::absolute(folder, error);
  while (!error && !std::filesystem::exists(there, error) && there.has_relative_path()) {
    there = there.parent_path();
  }
  const std::filesystem::space_info space = std::filesystem::space(there, error);
  const bool told = !error && space.capacity > 0;  // /proc reports no capacity
  return told ? space.available : std::numeric_limits<std::uint64_t>::max();
}

std::uint64_t peak_memory_bytes() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;  // Linux counts KiB
}

}  // namespace sluice
