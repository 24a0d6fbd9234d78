#pragma once

#include <string>
#include <vector>

#include "sluice/exchange.h"

namespace sluice {

/// Makes a Rescaling or Normalization that takes pictures of 0 to 255 one of Sluice's, of 0 to 1.
/// Its numbers tell what it takes; returns false, and changes nothing, for those of 0 to 1 and for
/// other layers.
bool to_unit_range(Layer& layer);

/// The remark about a layer for which to_unit_range() returned true.
std::string takes_bytes(const std::string& place, const std::string& layer);

/// A number for each channel, of PixelInput::mean or deviation. Throws Error (user) where there are
/// neither one nor as many as channels.
std::vector<double> of_channels(const std::vector<double>& numbers, double otherwise,
                                std::size_t channels, const std::string& place);

/// Layers that make of Sluice's pictures what a network was trained on. Throws as of_channels().
std::vector<Layer> layers_of_input(const PixelInput& pixels, const Shape& picture,
                                   const std::string& place);

}  // namespace sluice
