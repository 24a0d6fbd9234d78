#pragma once

#include <span>

namespace sluice::ops {

/// How labels become targets, and how much rows count.
struct Targets {
  /// Keras's label_smoothing: the share of a target that all classes have in equal parts.
  float smoothing = 0;
  std::span<const float> weights = {};  ///< of each row; empty for 1

  float weight(std::size_t row) const { return weights.empty() ? 1.f : weights[row]; }
};

/// Keras's categorical_crossentropy for labels in place of one-hot targets. Both functions return
/// the sum over the rows (the caller divides). Unless `diff` is empty, they write the gradient of
/// that sum times `scale` to it, in the shape of the first argument: (labels.size(), classes).

/// Takes logits: Keras's fused form, log-sum-exp minus the mean logit of the target.
double cross_entropy_from_logits(std::span<const float> logits, std::span<const int> labels,
                                 float scale, std::span<float> diff, const Targets& targets = {});

/// Takes outputs that need not sum to one: they are divided by their sum and clipped to [1e-7, 1 -
/// 1e-7] (keras/src/backend: categorical_crossentropy). A clipped value has no gradient. If the sum
/// is zero or not finite, the result is NaN.
double cross_entropy_from_outputs(std::span<const float> outputs, std::span<const int> labels,
                                  float scale, std::span<float> diff, const Targets& targets = {});

}  // namespace sluice::ops
