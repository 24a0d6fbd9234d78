#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

/// The program on $PATH, if any.
std::optional<std::filesystem::path> find_gnuplot();

/// Runs a script that draws a PNG and puts the picture in `file`, whole or not at all. Throws Error
/// (machine) with the first line of gnuplot's complaint, or as write_file() does.
void run_gnuplot(const std::filesystem::path& gnuplot, const std::string& script,
                 const std::filesystem::path& file);

/// The text as a gnuplot string, quotes included. Right for text without markup ("noenhanced").
/// Characters that may have no font are drawn as '?'.
std::string gnuplot_string(std::string_view text);

}  // namespace sluice
