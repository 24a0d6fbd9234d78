#pragma once

#include "sluice/lab/verdict.h"

namespace sluice {

/// Throws Error (user) unless there are answers, and every list of them is as long as it must be.
void require_whole(const Answers& answers);

}  // namespace sluice
