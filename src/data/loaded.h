#pragma once

#include "data/subset.h"
#include "sluice/dataset.h"

namespace sluice {

/// Checks data after reading. Throws Error (user) for a class without a training image, or if there
/// is no test image at all. Reports classes without test images, similar class names and duplicate
/// pictures: in a few lines, or each of them to DataEvents::problem.
void check_data(const Dataset& data, const DataOptions& options, Halves halves,
                const DataEvents& events);

}  // namespace sluice
