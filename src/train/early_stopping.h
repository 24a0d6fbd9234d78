#pragma once

#include <limits>
#include <span>
#include <vector>

#include "sluice/trainer.h"

namespace sluice {

/// Decides after each epoch whether to continue, as keras.callbacks.EarlyStopping does
/// (keras/src/callbacks/early_stopping.py, mode "auto", no baseline).
class EarlyStopper {
 public:
  /// Keeps references to the values: all that training changes.
  EarlyStopper(const EarlyStopping& options, std::vector<std::span<float>> values);

  /// Returns false if this was the last epoch; epochs count from 1.
  bool should_continue(int epoch, const Epoch& result);
  /// Restores the values of the best epoch, if the options ask for it; returns that epoch, or
  /// 0.
  int restore();

  /// State to save or restore.
  FitState::Stopping& state() { return state_; }
  /// Best values of each block; empty if they are not to be restored.
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
