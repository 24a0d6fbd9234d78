#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sluice::cli {

/// Returns the files that arguments name. A folder stands for every picture in it and its
/// subfolders, sorted by name; standard error reports the number of its other files. Throws Error
/// (user) for a folder without pictures.
std::vector<std::filesystem::path> picture_files(const std::vector<std::string>& arguments);

/// Returns the lines of a file, or of standard input for "-". Throws Error (user) if there are
/// none.
std::vector<std::string> listed_files(const std::string& list);

}  // namespace sluice::cli
