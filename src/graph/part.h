#pragma once

#include "sluice/layers.h"

namespace sluice {

/// Returns the part of a model whose last layer is the layer of that number: the layer, and what it
/// takes, directly or not. Throws Error (user) as summarize() does.
Sequential part_up_to(const Sequential& model, int layer);

/// Returns a part's weights. Needs the weights of the model.
Weights weights_of_part(const Sequential& part, const Weights& weights);

}  // namespace sluice
