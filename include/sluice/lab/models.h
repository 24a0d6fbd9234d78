#pragma once

#include <string>

#include "sluice/dataset.h"
#include "sluice/mixture.h"

#pragma GCC visibility push(default)

namespace sluice {

// Models of the lab.

enum class CnnSize { small, large };

/// Returns a CNN: two (small) or three (large) blocks of two convolutions, a dense layer of 512
/// units, and softmax. `width` multiplies the filters and units of all layers except the last,
/// rounded to multiples of 8. Throws Error (user) for a width that is not above 0, or above 128,
/// and for an input that gives a layer at width 1 more than 100 million parameters.
Sequential cnn(const std::string& name, const Shape& input, int classes, CnnSize size,
               double width = 1);

/// Returns the model that weights baseline and expert for each class: output {classes, 2}, with a
/// softmax over all values; [c][0] is the weight of the baseline, [c][1] that of the expert. Throws
/// Error (user) for an input that gives a layer more than 100 million parameters.
Sequential importance_model(const std::string& name, const Shape& input, int classes);

/// Returns the lab's mixture: CNNs for the baseline, the gate and each group's expert, and an
/// importance model for each group. Throws Error (user) without groups.
Mixture mixture(const Groups& groups, const Shape& input, int classes, CnnSize size);

}  // namespace sluice

#pragma GCC visibility pop
