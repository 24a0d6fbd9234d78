#pragma once

#include <cstdint>

#include "sluice/trainer.h"

namespace sluice {

/// Returns the factor of the learning rate at a step, counted from 0. A pure function, so that a
/// resumed fit has the same rates.
double rate_factor(const Schedule& schedule, std::int64_t step, int steps_per_epoch, int epochs);

}  // namespace sluice
