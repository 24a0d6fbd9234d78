#pragma once

#include <string>

#include "sluice/lab/lab.h"

namespace sluice {

/// Throws Error (user), after `place`, if a Cascade's thresholds or the temperature of the softmax
/// would be chosen by the test images, because there are no images for validation.
void require_images_for_choices(const LabOptions& options, bool has_validation,
                                const std::string& place);

}  // namespace sluice
