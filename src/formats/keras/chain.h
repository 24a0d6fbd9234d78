#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sluice {

/// The layers of a Functional model's configuration from input to output. Throws Error (user)
/// naming the layer where it is not a plain chain.
std::vector<const nlohmann::json*> chain_of(const nlohmann::json& model, const std::string& place);

/// Whether every layer takes the output of one other: what chain_of() reads, and no mixture is.
bool is_chain(const nlohmann::json& model, const std::string& place);

}  // namespace sluice
