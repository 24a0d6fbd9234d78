#pragma once

#include <functional>
#include <span>

#include "sluice/dataset.h"
#include "sluice/network.h"

namespace sluice {

/// Calls see(values of some images) with the values that layer `source` has for the first 5,000
/// examples, or with their images for kImages. Throws Error (user) if there are no examples, or if
/// they do not fit the model.
void see_first_values(const Sequential& model, const Weights& weights, int source,
                      const Examples& examples,
                      const std::function<void(std::span<const float>)>& see);

/// Calls see(kernel, number of the layer that its layer takes, or kImages) for each kernel outside
/// experts that has an initializer. Throws Error (user) if the weights are not the model's.
void for_each_kernel(const Sequential& model, const Weights& weights, Initializer initializer,
                     const std::function<void(const Weights::Tensor&, int)>& see);

}  // namespace sluice
