#pragma once

#include <vector>

#include "train/optimizer.h"

namespace sluice {

/// Adam with decoupled weight decay; OptimizerOptions has the formula.
class Adam : public Optimizer {
 public:
  Adam(const OptimizerOptions& options, const std::vector<CompiledModel::Trained>& trained);

  void step(int number, double learning_rate) override;
  std::vector<State> state(std::size_t block) override;

 private:
  struct Moments {
    CompiledModel::Trained of;
    std::vector<float> mean;      ///< mean of the gradients
    std::vector<float> variance;  ///< uncentred variance of the gradients
  };

  OptimizerOptions options_;
  std::vector<Moments> moments_;
  std::vector<ParameterRange> ranges_;
};

}  // namespace sluice
