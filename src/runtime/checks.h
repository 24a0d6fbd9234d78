#pragma once

#include <span>

#include "sluice/network.h"

namespace sluice {

// Checks of a caller's arguments. All throw Error (user).

/// 1 to model.max_batch() images of the model's size.
void require_batch(const CompiledModel& model, std::span<const float> images, int count);

/// The model ends in a softmax, and there was a pass of `count` images (0: none).
void require_logits(const CompiledModel& model, int count);

/// A gradient for each output of the last pass, which had `count` images (0: there was none that
/// has gradients), of something that the model has.
void require_gradient(const CompiledModel& model, std::span<const float> gradient, int count,
                      GradientOf where);

}  // namespace sluice
