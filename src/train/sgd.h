#pragma once

#include <vector>

#include "train/optimizer.h"

namespace sluice {

/// Gradient descent with momentum; OptimizerOptions has the formula.
class Sgd : public Optimizer {
 public:
  Sgd(const OptimizerOptions& options, const std::vector<CompiledModel::Trained>& trained);

  void step(int number, double learning_rate) override;
  std::vector<State> state(std::size_t block) override { return {{"momentum", velocity_[block]}}; }

 private:
  OptimizerOptions options_;
  std::vector<CompiledModel::Trained> trained_;
  std::vector<std::vector<float>> velocity_;  ///< by block
  std::vector<ParameterRange> ranges_;
};

}  // namespace sluice
