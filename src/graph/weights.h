#pragma once

#include <vector>

#include "sluice/layers.h"

namespace sluice {

/// Where each tensor lies in the weights of a model.
std::vector<Weights::Tensor> tensors_of(const Sequential& model);

/// Throws Error (user) unless the weights are those of the model: as many tensors, of the same
/// layers and shapes.
void require_weights(const Sequential& model, const Weights& weights);

}  // namespace sluice
