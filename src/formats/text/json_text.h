#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace sluice {

/// Formats JSON with an indent of two spaces, but a list of plain values on one line, such as the
/// row of a matrix. A number that JSON cannot represent (NaN, infinity) becomes null, a byte that
/// is not UTF-8 the replacement character.
std::string json_text(const nlohmann::ordered_json& value);

/// Parses JSON of an untrusted file. Nesting deeper than `max_depth` and more than 300,000 values
/// are refused before they are built. Throws Error (user); messages start with `tag` and `place`.
nlohmann::json parse_json(std::string_view text, int max_depth, std::string_view tag,
                          const std::string& place);

}  // namespace sluice
