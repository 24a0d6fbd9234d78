#pragma once

#include "data/subset.h"
#include "sluice/dataset.h"

namespace sluice {

/// What is looked at in data that was just read. Throws Error (user) for a class without a training
/// image, and where there is no test image at all. Says which classes have no test image, which
/// look alike, and which pictures are there twice.
void look_over(const Dataset& data, Halves halves, const DataEvents& events);

}  // namespace sluice
