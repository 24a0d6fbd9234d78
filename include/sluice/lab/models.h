#pragma once

#include <string>

#include "sluice/dataset.h"
#include "sluice/mixture.h"

namespace [[gnu::visibility("default")]] sluice {

// The lab's models.

enum class CnnSize { small, large };

/// Two (small) or three (large) blocks of two convolutions, a dense layer of 512, softmax. `width`
/// multiplies filters and units of all but the last layer; filters are rounded to whole eights.
/// Throws Error (user) for a width that is not above 0, or above 128.
Sequential cnn(const std::string& name, const Shape& input, int classes, CnnSize size,
               double width = 1);

/// Weighs baseline against expert for each class: output {classes, 2}, softmax over all of it;
/// [c][0] weighs the baseline, [c][1] the expert.
Sequential importance_model(const std::string& name, const Shape& input, int classes);

/// The lab's mixture: a CNN for the baseline, the gate and each group's expert, and an importance
/// model for each group.
Mixture mixture(const Groups& groups, const Shape& input, int classes, CnnSize size);

}  // namespace sluice
