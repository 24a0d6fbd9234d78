#pragma once

#include "sluice/dataset.h"

namespace sluice {

/// Gives every image the shape of the options. Throws Error (machine) if memory is too small.
void resize_images(LabelledImages& images, const DataOptions& options);

}  // namespace sluice
