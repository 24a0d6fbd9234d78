#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace [[gnu::visibility("default")]] sluice {

// Texts that are safe to show: names come from files and folders, and must not steer a terminal.

/// The text with control characters, marks that turn the direction of writing, and bytes that are
/// not UTF-8 turned into '?'. It may be shown in a terminal or a plot, and has one line.
std::string printable(std::string_view text);

/// The same for a message: what is longer than `limit` bytes is cut between two characters and ends
/// in "...".
std::string one_line(std::string_view text, std::size_t limit = 100);

/// A path as messages show it.
std::string path_text(const std::filesystem::path& path);

/// The same for a command that a message gives to be typed: quoted for a shell where it needs that.
std::string argument_text(const std::filesystem::path& path);

/// Columns of a terminal that a text takes: one for each UTF-8 code point.
std::size_t display_width(std::string_view text);
/// At most `width` columns; a cut text ends in an ellipsis.
std::string cut(std::string_view text, std::size_t width);

/// "11,836,616"
std::string with_commas(std::int64_t number);

/// The candidate that `word` was probably meant to be, looks counting more than bytes; empty where
/// none is near.
std::string closest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sluice
