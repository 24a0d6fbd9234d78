#pragma once

#include <string>

#include "sluice/network.h"

namespace sluice {

/// The first layer, "conv1.1", whose weights are not all finite; empty where all are.
std::string first_not_finite(const Weights& weights);

}  // namespace sluice
