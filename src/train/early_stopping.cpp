#include "train/early_stopping.h"

#include <algorithm>

namespace sluice {

namespace {

double monitored(const Epoch& epoch, const std::string& monitor) {
  if (monitor == "loss") return epoch.loss;
  if (monitor == "accuracy") return epoch.accuracy;
  return monitor == "val_accuracy" ? epoch.val_accuracy : epoch.val_loss;
}

}  // namespace

EarlyStopper::EarlyStopper(const EarlyStopping& options, std::vector<std::span<float>> values)
    : options_(options),
      values_(std::move(values)),
      more_is_better_(options.monitor.ends_with("accuracy")) {
  if (!options.enabled || !options.restore_best_weights) return;
  for (const std::span<float> each : values_) best_weights_.emplace_back(each.size());
}

bool EarlyStopper::better(double value) const {
  if (state_.best_epoch == 0) return true;
  return more_is_better_ ? value - options_.min_delta > state_.best
                         : value + options_.min_delta < state_.best;
}

void EarlyStopper::keep(int epoch) {
  state_.best_epoch = epoch;
  for (std::size_t i = 0; i < best_weights_.size(); ++i) {
    std::ranges::copy(values_[i], best_weights_[i].begin());
  }
}

bool EarlyStopper::should_continue(int epoch, const Epoch& result) {
  if (!options_.enabled || epoch <= options_.start_from_epoch) return true;
  const double value = monitored(result, options_.monitor);
  ++state_.wait;
  if (better(value)) {
    state_.best = value;
    state_.wait = 0;
    keep(epoch);
    return true;
  }
  return state_.wait < options_.patience || epoch == 1;
}

int EarlyStopper::restore() {
  if (best_weights_.empty() || state_.best_epoch == 0) return 0;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    std::ranges::copy(best_weights_[i], values_[i].begin());
  }
  return state_.best_epoch;
}

}  // namespace sluice
