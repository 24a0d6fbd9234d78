#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace sluice {

/// Writes a whole file or nothing: the bytes go to a new file beside it, are flushed to the disk,
/// and take the name in one step. What had the name before stays until then. Throws Error naming
/// path and reason: user where the place is wrong (no such folder, no permission), else machine.
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// Reads a whole file. Throws Error: user if there is none, it is a folder, may not be read or has
/// more than `max_bytes`; machine if reading fails.
std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes);

/// Makes a folder in one that exists; false if the name is taken, so that of two programs exactly
/// one gets true. Throws Error as write_file() does.
bool make_folder(const std::filesystem::path& path);

}  // namespace sluice
