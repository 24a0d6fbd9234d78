#pragma once

#include <nlohmann/json_fwd.hpp>

#include "sluice/trainer.h"

namespace sluice {

/// A fit's state without its blocks.
nlohmann::json to_json(const FitState& state);

/// Reads what to_json() wrote. Throws nlohmann::json::exception for other JSON.
void from_json(const nlohmann::json& json, FitState& state);

}  // namespace sluice
