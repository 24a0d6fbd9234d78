#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sluice {

// SHA256SUMS of a run's folder, which `sha256sum --check SHA256SUMS` can check. It has the files
// that Sluice reads again; report and figures are made from these.

/// Writes the checksums of these files, named relative to the folder, without those that do not
/// exist. Throws Error as write_file() does.
void write_sums(const std::filesystem::path& folder, const std::vector<std::string>& files);

/// Reads a file of the folder. Throws Error (user) as read_file() does, and if its checksum
/// differs. A run that is not finished has no checksums.
std::string read_summed(const std::filesystem::path& folder, const std::string& file,
                        std::uint64_t max_bytes, std::string_view tag);

}  // namespace sluice
