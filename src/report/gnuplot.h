#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// Returns the program on $PATH, if any.
std::optional<std::filesystem::path> find_gnuplot();

/// Runs a script that draws a PNG, and writes the picture to `file`, whole or not at all. Throws
/// Error (machine) with the first line of gnuplot's error, or as write_file() does.
void run_gnuplot(const std::filesystem::path& gnuplot, const std::string& script,
                 const std::filesystem::path& file);

/// Quotes the text as a gnuplot string, for text without markup ("noenhanced"). Replaces characters
/// that may have no font by '?'.
std::string gnuplot_string(std::string_view text);

}  // namespace sluice
