#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/text.h"

namespace sluice {

/// Whether a byte begins a character of UTF-8; its later bytes are 10xxxxxx.
inline bool starts_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

/// Returns the first `width` columns.
std::string_view head(std::string_view text, std::size_t width);

/// Formats a share as signed percentage points with one decimal: "+2.7". A value other than 0 gets
/// as many decimals as it needs not to look like 0: "-0.04".
std::string signed_points(double share);
/// The same without the sign: "2.7 points".
std::string points_text(double share);

/// Formats a p-value with the usual digits of statistics: "p = .012", "p < .001".
std::string p_value_text(double p);

/// Formats operations in millions: "6.7", and below 2 "0.81".
std::string mega_text(double operations);

/// Number of letters to add, drop, replace or swap with a neighbour to turn one text into the
/// other.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// Converts a text to lower case without accents, however Unicode composes its letters, so that
/// names that look alike are equal. Converts Latin letters and Hangul; others stay.
std::string folded(std::string_view text);

/// How to mend a wrong word: "did you mean gate?" with the closest() of the candidates, or where
/// none is close, `otherwise` and all of them: "its layers are conv, gate".
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates,
                       std::string_view otherwise);

/// Whether a text has only A-Z a-z 0-9 _ -, at most 64 of them: such a name is valid as a folder on
/// any system and as a bare key in TOML.
bool is_plain_name(std::string_view text);

}  // namespace sluice
