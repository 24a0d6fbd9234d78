#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "sluice/version.h"

namespace sluice {

/// Throws Error (machine) with `mend` if `bytes` are more than the system has.
/// Linux overcommits: without this check the process is killed on first use.
void require_memory(std::uint64_t bytes, std::string_view mend);

/// Returns the machine's memory, or what `ulimit -v` leaves of it.
std::uint64_t usable_memory_bytes();

/// Returns the bytes that this process may still write to the file system of `folder`, or of its
/// nearest parent that exists; the maximum if the system does not report them.
std::uint64_t free_disk_bytes(const std::filesystem::path& folder);

}  // namespace sluice
