#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace sluice {

/// Facts that speed depends on. A fact that the system does not report is "unknown" or 0.
struct Machine {
  std::string cpu;
  int cores = 0;    ///< logical cores for this process
  int threads = 0;  ///< OpenMP threads
  std::uint64_t memory_bytes = 0;
  std::string os;
  std::string compiler;  ///< compiler that built the library
};

Machine this_machine();

/// Returns the peak memory of this process.
std::uint64_t peak_memory_bytes();

/// Throws Error (machine) with `mend` if `bytes` are more than the system has.
/// Linux overcommits: without this check the process is killed on first use.
void require_memory(std::uint64_t bytes, std::string_view mend);

/// Returns the bytes that this process may still write to the file system of `folder`, or of its
/// nearest parent that exists; the maximum if the system does not report them.
std::uint64_t free_disk_bytes(const std::filesystem::path& folder);

}  // namespace sluice
