#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sluice {

namespace {

/// The share of a way that is done, in [0, 1]; a way without length is.
double done(double at, double from, double to) {
  return to > from ? std::clamp((at - from) / (to - from), 0.0, 1.0) : 1.0;
}

double half_cosine(double from, double to, double share) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * share)) / 2;
}

}  // namespace

double rate_factor(const Schedule& schedule, std::int64_t step, int steps_per_epoch, int epochs) {
  const auto at = static_cast<double>(step);
  const double steps = double(steps_per_epoch) * epochs;
  const auto in_steps = [&](double length) {
    return length * (length < 1 ? steps : steps_per_epoch);
  };
  const double warm = in_steps(schedule.warmup);
  if (schedule.name == "one_cycle") {
    // PyTorch's steps at which the parts end, with the values at their ends.
    return at < warm - 1 ? half_cosine(schedule.start_factor, 1, done(at, 0, warm - 1))
                         : half_cosine(1, schedule.end_factor, done(at, warm - 1, steps - 1));
  }
  if (at < warm) return schedule.start_factor + (1 - schedule.start_factor) * at / warm;
  if (schedule.name == "linear") {
    return 1 + (schedule.end_factor - 1) * done(at, warm, steps);
  }
  if (schedule.name == "cosine") return half_cosine(1, schedule.end_factor, done(at, warm, steps));
  if (schedule.name == "steps") {
    const auto passed = std::ranges::count_if(schedule.milestones,
                                              [&](double place) { return at >= in_steps(place); });
    return std::pow(schedule.gamma, static_cast<double>(passed));
  }
  return 1;
}

}  // namespace sluice
