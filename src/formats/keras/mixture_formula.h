#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sluice/shape.h"

namespace sluice {

/// What joins a mixture's parts in a file, and the parts.
struct MixtureFormula {
  const nlohmann::json& config;              ///< of the Functional model
  std::vector<std::string> groups;           ///< in the order of the gate's outputs
  std::map<std::string, std::string> parts;  ///< by the model's name in the file: "baseline"
  std::int64_t classes;
  std::size_t most_values;  ///< that the check may compute
};

/// Computes what the operations of a file make of random outputs of the parts, and compares with
/// the lab's formula. Returns the names of Lambda layers, which cannot be checked; then the result
/// was not compared. Throws Error (user), starting with `place`, for another formula and for
/// operations that it does not know.
std::vector<std::string> require_labs_formula(const MixtureFormula& formula,
                                              const std::string& place);

}  // namespace sluice
