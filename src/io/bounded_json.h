#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace sluice {

/// JSON of a stranger's. Deeper nesting than `max_depth` is refused before it is built. Throws
/// Error (user); messages start with `place`.
nlohmann::json parse_bounded_json(std::string_view text, int max_depth, const std::string& place);

}  // namespace sluice
