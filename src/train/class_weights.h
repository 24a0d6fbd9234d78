#pragma once

#include <vector>

#include "sluice/trainer.h"

namespace sluice {

/// Returns the weight of each class of the examples, by label; empty if all are 1.
std::vector<float> class_weights(const ClassWeights& wanted, const Examples& examples);

}  // namespace sluice
