#pragma once

#include <string>
#include <vector>

#include "sluice/layers.h"

namespace sluice {

/// Returns the tensors of a model and their places in its weights.
std::vector<Weights::Tensor> tensors_of(const Sequential& model);

/// "layer/kernel"
std::string full_name(const Weights::Tensor& tensor);

/// Returns the tensor of that layer and kind, which must be there.
const Weights::Tensor& tensor_of(const Weights& weights, const std::string& layer,
                                 const std::string& kind);

/// Throws Error (user) unless the weights are those of the model: as many tensors, of the same
/// layers and shapes.
void require_weights(const Sequential& model, const Weights& weights);

}  // namespace sluice
