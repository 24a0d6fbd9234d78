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

EarlyStopper::EarlyStopper(const EarlyStopping& options,
                           std::vector<CompiledModel::Trained> trained)
    : options_(options),
      trained_(std::move(trained)),
      more_is_better_(options.monitor.ends_with("accuracy")),
      best_(more_is_better_ ? -std::numeric_limits<double>::infinity()
                            : std::numeric_limits<double>::infinity()) {}

bool EarlyStopper::better(double value) const {
  return more_is_better_ ? value - options_.min_delta > best_ : value + options_.min_delta < best_;
}

void EarlyStopper::keep(int epoch) {
  best_epoch_ = epoch;
  if (!options_.restore_best_weights) return;
  best_weights_.clear();
  for (const CompiledModel::Trained& each : trained_) {
    best_weights_.emplace_back(each.weights.begin(), each.weights.end());
  }
}

bool EarlyStopper::go_on(int epoch, const Epoch& result) {
  if (!options_.enabled || epoch <= options_.start_from_epoch) return true;
  const double value = monitored(result, options_.monitor);
  if (best_epoch_ == 0) keep(epoch);
  ++wait_;
  if (better(value)) {
    best_ = value;
    wait_ = 0;
    keep(epoch);
    return true;
  }
  return wait_ < options_.patience || epoch == 1;
}

int EarlyStopper::restore() {
  if (best_weights_.empty()) return 0;
  for (std::size_t i = 0; i < trained_.size(); ++i) {
    std::ranges::copy(best_weights_[i], trained_[i].weights.begin());
  }
  return best_epoch_;
}

}  // namespace sluice
