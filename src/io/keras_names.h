#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sluice/dataset.h"

namespace sluice {

// What export_keras() writes beside the model. A stranger may have written it as well.

/// Empty where `sluice` has none. Throws Error (user) if they are not so many, or no names.
std::vector<std::string> class_names_in(const nlohmann::json& sluice, std::size_t outputs,
                                        const std::string& place);

/// Empty where `sluice` has none.
std::vector<Groups::Group> groups_in(const nlohmann::json& sluice, const std::string& place);

/// Throws Error (user) unless they are two at least, distinct and plain names.
void check_group_names(const std::vector<Groups::Group>& groups, const std::string& place);

}  // namespace sluice
