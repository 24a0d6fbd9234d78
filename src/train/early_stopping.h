#pragma once

#include <limits>
#include <span>
#include <vector>

#include "sluice/trainer.h"

namespace sluice {

/// Says after each epoch whether to go on, as keras.callbacks.EarlyStopping does
/// (keras/src/callbacks/early_stopping.py, mode "auto", no baseline).
class EarlyStopper {
 public:
  /// Refers to the values: all that training changes.
  EarlyStopper(const EarlyStopping& options, std::vector<std::span<float>> values);

  /// False if this was the last epoch; they are counted from 1.
  bool should_continue(int epoch, const Epoch& result);
  /// Gives them their values of the best epoch, if that was asked for; returns which
  /// epoch that was, or 0.
  int restore();

  /// To be kept, or given back.
  FitState::Stopping& state() { return state_; }
  /// As many as there are blocks of values; none if they are not to be restored.
  std::vector<std::vector<float>>& best_weights() { return best_weights_; }

 private:
  bool better(double value) const;
  void keep(int epoch);

  EarlyStopping options_;
  std::vector<std::span<float>> values_;
  bool more_is_better_;
  FitState::Stopping state_;
  std::vector<std::vector<float>> best_weights_;
};

}  // namespace sluice
