#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace sluice {

/// JSON in lines of two spaces' indent, but with a list of plain values on one line, so that the
/// row of a matrix is a row. A number that JSON cannot write (NaN, infinity) becomes null, a byte
/// that is no UTF-8 the replacement character.
std::string json_text(const nlohmann::ordered_json& value);

/// JSON of a file that nobody vouches for: lists and objects nested deeper than `max_depth`, and
/// more than 300,000 values, are refused before they are built. Throws Error (user); messages start
/// with `tag` and `place`.
nlohmann::json parse_json(std::string_view text, int max_depth, std::string_view tag,
                          const std::string& place);

}  // namespace sluice
