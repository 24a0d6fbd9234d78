#pragma once

#include <span>
#include <vector>

#include "sluice/layers.h"

namespace sluice {

/// In place of a layer's number and name: the network's input.
constexpr int kImages = -1;
constexpr const char* kImagesName = "images";

/// For each layer the numbers of the layers that it takes, or kImages. Throws Error (user) naming
/// the layer, as summarize() documents.
std::vector<std::vector<int>> sources_of_layers(const Sequential& model);

/// Removes the inputs of layers that take the one before them, as they would without.
void leave_out_usual_inputs(Sequential& model);

}  // namespace sluice
