#pragma once

#include <string>

#include "sluice/layers.h"

namespace sluice {

/// Throws Error (user) if a layer of a network of the lab would have more than 100 million
/// parameters: a dense layer after Flatten grows with the image. `other` is a second way to mend
/// it.
void require_layers_of_a_size(const Sequential& model, const std::string& other = "");

}  // namespace sluice
