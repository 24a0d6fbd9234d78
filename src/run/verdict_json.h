#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sluice/lab/verdict.h"
#include "sluice/trainer.h"

namespace sluice {

// Verdict and costs in results.json.

nlohmann::ordered_json to_json(const Verdict& verdict, const std::vector<std::string>& class_names,
                               const std::vector<std::string>& group_names);
nlohmann::ordered_json cost_json(const Cost& cost);
/// Returns seconds, processor seconds and images of training.
nlohmann::ordered_json effort_json(const History& history);

}  // namespace sluice
