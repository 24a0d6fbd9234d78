#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#pragma GCC visibility push(default)

namespace sluice {

// Texts that are safe to show. Names come from files and folders, and must not control a terminal,
// change a plot or break a line.

/// Replaces control characters, marks of the writing direction and bytes that are not UTF-8 by '?'.
std::string printable(std::string_view text);

/// Makes a text printable() for a message; cuts it after `limit` bytes, between two characters, and
/// appends "...".
std::string one_line(std::string_view text, std::size_t limit = 100);

/// Formats a path for a message.
std::string path_text(const std::filesystem::path& path);

/// Formats a path for a command in a message, quoted if a shell needs that.
std::string argument_text(const std::filesystem::path& path);

/// Number of terminal columns of a text: one for each UTF-8 code point.
std::size_t display_width(std::string_view text);
/// Cuts a text to `width` columns; a cut text ends in an ellipsis.
std::string cut(std::string_view text, std::size_t width);

/// Quotes a field of a CSV file by RFC 4180. Spreadsheets read a text that begins with =, +, -, @, a
/// tab or a carriage return as a formula, even if it is quoted; a ' before it prevents that (OWASP,
/// "CSV Injection").
std::string csv_field(const std::string& text);

/// Formats a number: "11,836,616".
std::string with_commas(std::int64_t number);

/// Returns the candidate that is most similar to `word`, by appearance rather than by bytes; empty
/// if none is similar.
std::string closest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sluice

#pragma GCC visibility pop
