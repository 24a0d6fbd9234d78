#include "ops/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sluice::ops {

double cross_entropy_from_logits(std::span<const float> logits, std::span<const int> labels,
                                 float scale, std::span<float> diff) {
  const std::size_t classes = logits.size() / labels.size();
  double total = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const float* row = logits.data() + n * classes;
    const float largest = *std::max_element(row, row + classes);
    float sum = 0;
    for (std::size_t c = 0; c < classes; ++c) sum += std::exp(row[c] - largest);
    total += std::log(sum) - (row[labels[n]] - largest);
    if (diff.empty()) continue;
    float* out = diff.data() + n * classes;
    for (std::size_t c = 0; c < classes; ++c) out[c] = scale * std::exp(row[c] - largest) / sum;
    out[labels[n]] -= scale;
  }
  return total;
}

double cross_entropy_from_outputs(std::span<const float> outputs, std::span<const int> labels,
                                  float scale, std::span<float> diff) {
  constexpr float kClip = 1e-7f;
  const std::size_t classes = outputs.size() / labels.size();
  double total = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const float* row = outputs.data() + n * classes;
    const float sum = std::accumulate(row, row + classes, 0.f);
    if (!(sum > 0) || !std::isfinite(sum)) return std::numeric_limits<double>::quiet_NaN();
    const float truth = row[labels[n]];
    const float share = truth / sum;
    total -= std::log(std::clamp(share, kClip, 1 - kClip));
    if (diff.empty()) continue;
    float* out = diff.data() + n * classes;
    const bool clipped = share < kClip || share > 1 - kClip;
    std::fill(out, out + classes, clipped ? 0.f : scale / sum);
    if (!clipped) out[labels[n]] -= scale / truth;
  }
  return total;
}

}  // namespace sluice::ops
