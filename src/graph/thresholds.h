#pragma once

#include <span>
#include <string>
#include <vector>

#include "sluice/layers.h"

namespace sluice {

// Thresholds of a cascade: for each whole percentage of images that go on, the confidence below
// which so many lie.

inline constexpr const char* kThresholds = "thresholds";
inline constexpr int kThresholdCount = 101;

std::vector<float> thresholds_of(std::vector<float> confidences);

/// Returns the threshold for a share of the images, from 0 to 1; linear between two percentages.
/// Of a share of 0 no confidence is below it, of 1 all are.
float threshold_for(std::span<const float> thresholds, double share);

/// The tensor of the cascade with that name.
std::span<const float> thresholds_in(const Weights& weights, const std::string& cascade);
std::span<float> thresholds_in(Weights& weights, const std::string& cascade);

}  // namespace sluice
