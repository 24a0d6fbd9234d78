#pragma once

#include "base/fail.h"
#include "sluice/trainer.h"

namespace sluice {

/// Throws Error (user) that names an option and what it must be, unless its value fits. Conditions
/// should be such that NaN fails them.
template <class Value>
void require(bool fits, const char* name, const Value& value, const char* wanted) {
  if (!fits) throw user_error("train", "{} is {}: must be {}", name, value, wanted);
}

/// Throws Error (user) for options out of range, or that do not fit each other or the epochs.
void require_optimizer(const OptimizerOptions& options, int epochs);
void require_loss(const LossOptions& options);

}  // namespace sluice
