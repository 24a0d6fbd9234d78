#pragma once

#include "sluice/mixture.h"

namespace sluice {

// Checks of a mixture. Both throw Error (user).

/// Requires that the parts of a mixture fit together: all have the same input, the gate has an
/// output for each branch, each expert as many outputs as the baseline, and each importance model
/// twice as many.
void require_parts_fit(const Mixture& model);

/// Requires weights for each part. require_weights() checks that they fit the part.
void require_weights_for_parts(const Mixture& model, const MixtureWeights& weights);

}  // namespace sluice
