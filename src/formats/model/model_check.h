#pragma once

#include <string>

#include "sluice/model_file.h"

namespace sluice {

// Requirements of every model that is written to a file or read from one. These throw Error (user);
// messages start with `place`.

/// Requires that no weight is NaN or infinite.
void require_finite(const AnyModel& model, const std::string& place);

/// Requires that a file of the model can be read again: its layers can be declared, its weights fit
/// them and are finite, and class names and groups, if it has any, fit its outputs.
void require_sound(const AnyModel& model, const std::string& place);

}  // namespace sluice
