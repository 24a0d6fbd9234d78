#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace sluice {

// Text helpers of this folder. Widths are in terminal columns, one for each UTF-8 code point.

inline constexpr std::size_t kTextWidth = 80;

/// Returns the last `width` columns.
std::string_view tail(std::string_view text, std::size_t width);
/// Cut or pad a text to `width` columns, aligned at the left or right.
std::string left(std::string_view text, std::size_t width);
std::string right(std::string_view text, std::size_t width);
/// Breaks a text into lines of at most 80 columns, at blanks if possible; ends with a newline.
std::string wrapped(std::string_view text);

/// "58.2%"
std::string percent(double share);
/// "48.2 s", "3 min 20 s", "1 h 02 min"
std::string duration(double seconds);
/// "1 image", "1,000 images"
std::string images(std::int64_t count);

struct Column {
  std::string head;
  std::size_t width;
  bool numbers = false;  ///< aligned at the right
};

/// Draws a table with box-drawing lines as Keras does, with a line between rows.
std::string boxed_table(const std::vector<Column>& columns,
                        const std::vector<std::vector<std::string>>& rows);

}  // namespace sluice
