#pragma once

#include <span>

namespace sluice::ops {

/// Keras's categorical_crossentropy for labels in place of one-hot targets. Both return the sum
/// over the rows (the caller divides) and, unless it is empty, write the gradient of that sum times
/// `scale` to `diff`, which has the shape of the first argument: (labels.size(), classes).

/// From the input of a softmax: Keras's fused form, log-sum-exp less the true logit.
double cross_entropy_from_logits(std::span<const float> logits, std::span<const int> labels,
                                 float scale, std::span<float> diff);

/// From an output that need not sum to one: it is divided by its sum and clipped to [1e-7, 1 -
/// 1e-7] (keras/src/backend: categorical_crossentropy). A clipped row has no gradient. A sum that
/// is zero or not finite makes the result NaN.
double cross_entropy_from_outputs(std::span<const float> outputs, std::span<const int> labels,
                                  float scale, std::span<float> diff);

}  // namespace sluice::ops
