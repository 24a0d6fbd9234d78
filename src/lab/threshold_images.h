#pragma once

#include <string>

#include "sluice/lab/lab.h"

namespace sluice {

/// Throws Error (user), after `place`, if the network has a Cascade whose threshold would be chosen
/// by the test images, because there are no images for validation.
void require_threshold_images(const LabOptions& options, bool has_validation,
                              const std::string& place);

}  // namespace sluice
