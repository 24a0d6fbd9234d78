#pragma once

#include <vector>

#include "sluice/layers.h"

namespace sluice {

// Thresholds of a cascade that no confidence is below, and that all are.
inline constexpr float kNoneGoesOn = 0;
inline constexpr float kAllGoOn = 2;

/// Returns the threshold below which a share of the confidences lies.
float threshold_of(std::vector<float> confidences, double share);

float threshold(const Cascade& cascade, const Weights& weights);
void set_threshold(const Cascade& cascade, float threshold, Weights& weights);

}  // namespace sluice
