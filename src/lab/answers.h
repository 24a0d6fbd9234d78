#pragma once

#include "sluice/lab/verdict.h"

namespace sluice {

/// Throws Error (user) if there are no answers, or if a list of them has a wrong size or value.
void require_whole(const Answers& answers);

}  // namespace sluice
