#include "train/averages.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"

namespace sluice {

namespace {

/// Moves an average by a share of the way to the values.
void approach(std::vector<float>& average, std::span<const float> values, double share) {
  const auto factor = static_cast<float>(share);
  parallel_for(values.size(), kGrainOfValues, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) average[i] += factor * (values[i] - average[i]);
  });
}

}  // namespace

Averages::Averages(const OptimizerOptions& options, std::vector<std::span<float>> values)
    : options_(options), values_(std::move(values)) {
  for (const std::span<float> each : values_) {
    if (options.lookahead.sync_period > 0) slow_.emplace_back(each.begin(), each.end());
    if (options.use_ema) moving_.emplace_back(each.begin(), each.end());
  }
}

void Averages::follow(int step, int steps) {
  const Lookahead& lookahead = options_.lookahead;
  if (!slow_.empty() && step % lookahead.sync_period == 0) {
    const double done = static_cast<double>(step) / steps;
    const double decay = lookahead.decay * std::pow(done, lookahead.decay_power);
    for (std::size_t i = 0; i < slow_.size(); ++i) {
      approach(slow_[i], values_[i], 1 - decay);
      std::ranges::copy(slow_[i], values_[i].begin());
    }
  }
  // As in Keras, the first average is the values after the first step.
  const double momentum = step == 1 ? 0 : options_.ema_momentum;
  for (std::size_t i = 0; i < moving_.size(); ++i) approach(moving_[i], values_[i], 1 - momentum);
}

void Averages::swap() {
  std::vector<std::vector<float>>& averages = moving_.empty() ? slow_ : moving_;
  for (std::size_t i = 0; i < averages.size(); ++i) {
    std::ranges::swap_ranges(averages[i], values_[i]);
  }
}

}  // namespace sluice
