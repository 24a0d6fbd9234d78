#pragma once

#include <string>

#include "run/experiment_keys.h"

namespace sluice {

/// Throws Error (user), with the file, for settings that contradict each other: each value is
/// allowed by itself. `groups_place` is the place of the groups' declaration; empty if there is
/// none.
void check_settings(const Settings& settings, const std::string& file,
                    const std::string& groups_place);

/// Throws Error (user) for an optimizer that fit() would refuse at the start of a stage. Its
/// defaults must be set.
void check_optimizer(const LabOptions& lab, const std::string& file);

/// Throws Error (user), after `place`, for a weight that has the name of no class and no group.
void check_class_weights(const Experiment& experiment, const std::vector<std::string>& class_names,
                         const std::string& place);

}  // namespace sluice
