#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sluice/network.h"

namespace sluice {

/// Where each tensor lies in the weights of a model.
std::vector<Weights::Tensor> tensors_of(const Sequential& model);

// What a caller of the library may have wrong. All throw Error (user).

/// The weights are those of the model: as many tensors, of the same layers and shapes.
void require_weights(const Sequential& model, const Weights& weights);

/// 1 to model.max_batch() images of the model's size.
void require_batch(const CompiledModel& model, std::span<const float> images, int count);

/// The model ends in a softmax, and there was a pass of `count` images (0: none).
void require_logits(const CompiledModel& model, int count);

/// A gradient for each output of the last pass, which had `count` images (0: there was none that
/// has gradients), of something that the model has.
void require_gradient(const CompiledModel& model, std::span<const float> gradient, int count,
                      GradientOf where);

}  // namespace sluice
