#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sluice {

// SHA256SUMS of a run's folder: `sha256sum --check SHA256SUMS` checks it too. It holds the files
// that verbs read again; report and pictures are made from these and may be made anew.

/// Writes the sums of these files, named relative to the folder; those that do not exist are left
/// out. Throws Error as write_file() does.
void write_sums(const std::filesystem::path& folder, const std::vector<std::string>& files);

/// Reads a file of the folder. Throws Error (user) as read_file() does, and for a file that is not
/// the one whose sum was written. A run that has not finished has no sums.
std::string read_summed(const std::filesystem::path& folder, const std::string& file,
                        std::uint64_t max_bytes, std::string_view tag);

}  // namespace sluice
