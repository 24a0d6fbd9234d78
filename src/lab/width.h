#pragma once

#include <string>

namespace sluice {

/// Throws Error (user) for a factor of a network's width that is not above 0, or above 128: of the
/// 512 units of the lab's networks, that is the largest layer allowed.
void require_width(const std::string& model, double width);

/// Returns a number of filters or units times the width, as a multiple of 8, the values in a vector
/// of 256 bits, and at least 8.
int widened(int units, double width);

}  // namespace sluice
