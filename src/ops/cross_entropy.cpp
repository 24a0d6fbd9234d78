#include "ops/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sluice::ops {

double cross_entropy_from_logits(std::span<const float> logits, std::span<const int> labels,
                                 float scale, std::span<float> diff, const Targets& targets) {
  const std::size_t classes = logits.size() / labels.size();
  double total = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const float* row = logits.data() + n * classes;
    const float largest = *std::max_element(row, row + classes);
    float sum = 0;
    for (std::size_t c = 0; c < classes; ++c) sum += std::exp(row[c] - largest);
    float expected = row[labels[n]] - largest;
    if (targets.smoothing > 0) {
      const float mean = std::accumulate(row, row + classes, 0.f) / static_cast<float>(classes);
      expected += targets.smoothing * (mean - row[labels[n]]);
    }
    const float weight = targets.weight(n);
    total += weight * (std::log(sum) - expected);
    if (diff.empty()) continue;
    float* out = diff.data() + n * classes;
    const float scaled = scale * weight;
    const float of_each = scaled * targets.smoothing / static_cast<float>(classes);
    for (std::size_t c = 0; c < classes; ++c) {
      out[c] = scaled * std::exp(row[c] - largest) / sum - of_each;
    }
    out[labels[n]] -= scaled * (1 - targets.smoothing);
  }
  return total;
}

double cross_entropy_from_outputs(std::span<const float> outputs, std::span<const int> labels,
                                  float scale, std::span<float> diff, const Targets& targets) {
  constexpr float kClip = 1e-7f;
  const std::size_t classes = outputs.size() / labels.size();
  const float of_each = targets.smoothing / static_cast<float>(classes);
  double total = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const float* row = outputs.data() + n * classes;
    const float sum = std::accumulate(row, row + classes, 0.f);
    if (!(sum > 0) || !std::isfinite(sum)) return std::numeric_limits<double>::quiet_NaN();
    const float weight = targets.weight(n);
    const float scaled = scale * weight;
    float* out = diff.empty() ? nullptr : diff.data() + n * classes;
    float not_clipped = 0;  // sum of these targets
    for (std::size_t c = 0; c < classes; ++c) {
      const bool own = static_cast<int>(c) == labels[n];
      const float target = own ? of_each + (1 - targets.smoothing) : of_each;
      const float share = row[c] / sum;
      const bool clipped = target == 0 || share < kClip || share > 1 - kClip;
      if (target > 0) total -= weight * target * std::log(std::clamp(share, kClip, 1 - kClip));
      if (!clipped) not_clipped += target;
      if (out != nullptr) out[c] = clipped ? 0.f : -target * scaled / row[c];
    }
    if (out == nullptr) continue;
    for (std::size_t c = 0; c < classes; ++c) out[c] += not_clipped * scaled / sum;
  }
  return total;
}

}  // namespace sluice::ops
