#pragma once

#include <vector>

#include "base/random.h"
#include "sluice/dataset.h"
#include "sluice/network.h"

namespace sluice {

/// Returns the outputs (images, classes) of a model whose layers of experts choose, and weigh, for
/// each image as they would for another one. `random` shuffles the images.
std::vector<float> outputs_by_exchanged_choices(const Sequential& model, const Weights& weights,
                                                const Examples& images, const RandomStream& random,
                                                const CompileOptions& options);

}  // namespace sluice
