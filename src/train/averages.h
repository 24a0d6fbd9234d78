#pragma once

#include <span>
#include <vector>

#include "sluice/trainer.h"

namespace sluice {

/// Averages of a model's values over the steps: slow weights of lookahead, and a moving average;
/// OptimizerOptions has their meaning.
class Averages {
 public:
  /// Keeps references to the values: all that training changes.
  Averages(const OptimizerOptions& options, std::vector<std::span<float>> values);

  /// Follows the values after a step, from 1.
  void follow(int step, int steps);
  /// Exchanges the values and their moving averages, or without these the slow ones, if there are
  /// such.
  void swap();

  /// State to save or restore, by value; empty where it is not asked for.
  std::vector<std::vector<float>>& slow() { return slow_; }
  std::vector<std::vector<float>>& moving() { return moving_; }

 private:
  OptimizerOptions options_;
  std::vector<std::span<float>> values_;
  std::vector<std::vector<float>> slow_;
  std::vector<std::vector<float>> moving_;
};

}  // namespace sluice
