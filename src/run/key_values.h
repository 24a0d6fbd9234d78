#pragma once

#include <string>

#include "formats/text/toml_document.h"
#include "run/experiment_keys.h"

namespace sluice {

/// Stores a value in a key's variable. Returns an empty string, or what the value must be if it is
/// not allowed: "must be a whole number".
std::string store(const toml::node& node, const Key& key);

}  // namespace sluice
