#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sluice::cli {

/// The files that arguments name: each itself, and of a folder every picture in it and in the
/// folders below, by name. Other files of a folder are counted and told on standard error. Throws
/// Error (user) for a folder without pictures.
std::vector<std::filesystem::path> picture_files(const std::vector<std::string>& arguments);

}  // namespace sluice::cli
