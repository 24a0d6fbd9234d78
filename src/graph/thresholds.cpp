#include "graph/thresholds.h"

#include <algorithm>
#include <cmath>

#include "graph/weights.h"

namespace sluice {

namespace {

constexpr float kNoneGoesOn = 0;
constexpr float kAllGoOn = 1.001F;  // a softmax may be rounded to a little more than 1

}  // namespace

std::vector<float> thresholds_of(std::vector<float> confidences) {
  std::ranges::sort(confidences);
  std::vector<float> thresholds;
  for (int percent = 0; percent < kThresholdCount; ++percent) {
    const double below = percent / 100.0 * static_cast<double>(confidences.size());
    const auto place = static_cast<std::size_t>(std::lround(below));
    thresholds.push_back(percent == 0                 ? kNoneGoesOn
                         : place < confidences.size() ? confidences[place]
                                                      : kAllGoOn);
  }
  return thresholds;
}

float threshold_for(std::span<const float> thresholds, double share) {
  const double place = share * static_cast<double>(thresholds.size() - 1);
  const auto before = static_cast<std::size_t>(place);
  if (before + 1 >= thresholds.size()) return kAllGoOn;
  const auto part = static_cast<float>(place - static_cast<double>(before));
  return std::lerp(thresholds[before], thresholds[before + 1], part);
}

std::span<const float> thresholds_in(const Weights& weights, const std::string& cascade) {
  return weights.values(tensor_of(weights, cascade, kThresholds));
}

std::span<float> thresholds_in(Weights& weights, const std::string& cascade) {
  return weights.values(tensor_of(weights, cascade, kThresholds));
}

}  // namespace sluice
