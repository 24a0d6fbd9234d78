#pragma once

#include <vector>

#include "sluice/network.h"
#include "sluice/trainer.h"

namespace sluice {

/// Adam over all trained parameters of a model; AdamOptions has the formula.
class Adam {
 public:
  /// Keeps references to the parameters and gradients.
  Adam(const AdamOptions& options, const std::vector<CompiledModel::Trained>& trained);

  struct Moments {
    CompiledModel::Trained of;
    std::vector<float> mean;      ///< mean of the gradients
    std::vector<float> variance;  ///< uncentred variance of the gradients
  };

  void step();

  /// Moments to save, or to restore with set_step_count().
  std::vector<Moments>& moments() { return moments_; }
  void set_step_count(int steps) { t_ = steps; }

 private:
  AdamOptions options_;
  std::vector<Moments> moments_;
  int t_ = 0;
};

}  // namespace sluice
