#pragma once

#include <nlohmann/json.hpp>

#include "sluice/lab/frontier.h"

namespace sluice {

/// Returns the contents of frontier.json; format 1.
nlohmann::ordered_json to_json(const Frontier& frontier);

}  // namespace sluice
