#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Whether a byte begins a character of UTF-8; its later bytes are 10xxxxxx.
inline bool starts_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

/// Replaces control characters, marks of the writing direction and bytes that are not UTF-8 by '?'.
/// Names come from files and folders, and must not control a terminal, change a plot or break a
/// line.
std::string printable(std::string_view text);

/// Makes a text printable() for a message; cuts it after `limit` bytes, between two characters, and
/// appends "...".
std::string one_line(std::string_view text, std::size_t limit = 100);

/// Formats a path for a message.
std::string path_text(const std::filesystem::path& path);

/// Formats a share as signed percentage points with one decimal: "+2.7". A value other than 0 gets
/// as many decimals as it needs not to look like 0: "-0.04".
std::string signed_points(double share);

/// Formats a path for a shell command in a message: quoted where the shell needs it.
std::string argument_text(const std::filesystem::path& path);

/// Returns how many letters must be added, dropped, replaced or swapped with a neighbour to turn
/// one text into the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// Converts a text to lower case without accents, however Unicode composes its letters, so that
/// names that look alike are equal. Converts Latin letters and Hangul; others stay.
std::string folded(std::string_view text);

/// Returns the candidate nearest to `word` in appearance (see folded()); empty if none is near.
std::string closest(std::string_view word, const std::vector<std::string>& candidates);

/// Whether the text has only A-Z a-z 0-9 _ - and at most 64 of them: usable as a folder's name on
/// any system, and as a bare key in TOML.
bool is_plain_name(std::string_view text);

}  // namespace sluice
