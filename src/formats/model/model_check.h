#pragma once

#include <string>

#include "sluice/model_file.h"

namespace sluice {

// What every model has that is written to a file or read from one. Throw Error (user), starting
// with `place`.

/// No weight is NaN or infinite: such a model answers everything with NaN.
void require_finite(const AnyModel& model, const std::string& place);

/// A file of it can be read again: its layers can be declared, its weights are theirs and finite,
/// and class names and groups, where it has any, fit its outputs.
void require_sound(const AnyModel& model, const std::string& place);

}  // namespace sluice
