#pragma once

#include "sluice/mixture.h"

namespace sluice {

// Throw Error (user).

/// The parts of a mixture fit together: one input for all, an output of the gate for each branch,
/// an output of each expert for each of the baseline's, and two of each importance model.
void require_parts_fit(const Mixture& model);

/// There are weights for each part. That they are its own is for require_weights().
void require_weights_for_parts(const Mixture& model, const MixtureWeights& weights);

}  // namespace sluice
