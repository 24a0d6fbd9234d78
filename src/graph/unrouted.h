#pragma once

#include <utility>

#include "sluice/layers.h"

namespace sluice {

/// Returns a network without layers of experts that gives the same, up to rounding: all experts
/// answer every image, and layers that other programs have choose among the answers. Without such
/// layers it is the model itself.
std::pair<Sequential, Weights> unrouted(const Sequential& model, const Weights& weights);

}  // namespace sluice
