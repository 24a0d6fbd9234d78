#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace sluice {

/// What figures of speed depend on. A fact that the system does not tell is "unknown" or 0.
struct Machine {
  std::string cpu;
  int cores = 0;    ///< logical ones this process may use
  int threads = 0;  ///< OpenMP's
  std::uint64_t memory_bytes = 0;
  std::string os;
  std::string compiler;  ///< that built the library
};

Machine this_machine();

/// The most memory this process has held at once.
std::uint64_t peak_memory_bytes();

/// Throws Error (machine) if `bytes` are more than the system can give, with what to do about it.
/// Linux overcommits: without this check the process is killed on first use.
void require_memory(std::uint64_t bytes, std::string_view mend);

/// Bytes that this process may still write to the file system of `folder`, or of the nearest folder
/// above it that exists; all there could be where the system does not tell.
std::uint64_t free_disk_bytes(const std::filesystem::path& folder);

}  // namespace sluice
