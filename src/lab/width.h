#pragma once

#include <string>

#include "sluice/layers.h"

namespace sluice {

/// Throws Error (user) for a factor of a network's width that is not above 0, or above 128: of the
/// 512 units of the lab's networks, that is the largest layer allowed.
void require_width(const std::string& model, double width);

/// Returns a number of filters or units times the width, as a multiple of `step`, and at least
/// that. A step of 8 is the values in a vector of 256 bits.
int widened(int units, double width, int step = 8);

/// Returns a network with the filters and units of all its layers, experts included, times the
/// width, as multiples of 4; but not where they are the logits of a cascade or a gate.
Sequential widened(Sequential model, double width);

}  // namespace sluice
