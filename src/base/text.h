#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sluice/text.h"

namespace sluice {

/// Whether a byte begins a character of UTF-8; its later bytes are 10xxxxxx.
inline bool starts_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

/// The first `width` columns.
std::string_view head(std::string_view text, std::size_t width);

/// A share in points with its sign, to a tenth: "+2.7". What is not 0 has as many digits as show
/// that: "-0.04".
std::string signed_points(double share);

/// How many letters must be added, dropped, replaced, or swapped with a neighbour to turn one into
/// the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The text in lower case, without accents and however Unicode composes its letters: names that are
/// equal so look alike. Latin letters and Hangul; others stay as they are.
std::string folded(std::string_view text);

/// Whether it is made of A-Z a-z 0-9 _ - alone (and at most 64 of them): usable as a folder's name
/// on any system, and as a bare key in TOML.
bool is_plain_name(std::string_view text);

}  // namespace sluice
