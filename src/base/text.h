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

/// The text with control characters, marks that turn the direction of writing, and bytes that are
/// not UTF-8 turned into '?'. Names come from files and folders, and must not steer a terminal or a
/// plot, nor break a line.
std::string printable(std::string_view text);

/// The same for a message: what is longer than `limit` bytes is cut between two characters and ends
/// in "...".
std::string one_line(std::string_view text, std::size_t limit = 100);

/// A path as messages show it.
std::string path_text(const std::filesystem::path& path);

/// A share in points with its sign, to a tenth: "+2.7". What is not 0 has as many digits as show
/// that: "-0.04".
std::string signed_points(double share);

/// The same for a command that a message gives to be typed: quoted for a shell where it needs that.
std::string argument_text(const std::filesystem::path& path);

/// How many letters must be added, dropped, replaced, or swapped with a neighbour to turn one into
/// the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The text in lower case, without accents and however Unicode composes its letters: names that are
/// equal so look alike. Latin letters and Hangul; others stay as they are.
std::string folded(std::string_view text);

/// The candidate that `word` was probably meant to be, looks counting more than bytes; empty where
/// none is near.
std::string closest(std::string_view word, const std::vector<std::string>& candidates);

/// Whether it is made of A-Z a-z 0-9 _ - alone (and at most 64 of them): usable as a folder's name
/// on any system, and as a bare key in TOML.
bool is_plain_name(std::string_view text);

}  // namespace sluice
