#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "sluice/version.h"

namespace sluice {

/// Throws Error (machine) if `bytes` are more than the system can give, with what to do about it.
/// Linux overcommits: without this check the process is killed on first use.
void require_memory(std::uint64_t bytes, std::string_view mend);

/// Bytes that this process may still write to the file system of `folder`, or of the nearest folder
/// above it that exists; all there could be where the system does not tell.
std::uint64_t free_disk_bytes(const std::filesystem::path& folder);

}  // namespace sluice
