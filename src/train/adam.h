#pragma once

#include <vector>

#include "sluice/network.h"
#include "sluice/trainer.h"

namespace sluice {

/// Adam over all trained parameters of a model, as AdamOptions documents.
class Adam {
 public:
  /// Refers to the parameters and gradients.
  Adam(const AdamOptions& options, const std::vector<CompiledModel::Trained>& trained);

  struct Moments {
    CompiledModel::Trained of;
    std::vector<float> mean;      ///< of the gradients
    std::vector<float> variance;  ///< uncentred
  };

  void step();

  /// To be kept, or given back with the number of steps they came from.
  std::vector<Moments>& moments() { return moments_; }
  void set_step_count(int steps) { t_ = steps; }

 private:
  AdamOptions options_;
  std::vector<Moments> moments_;
  int t_ = 0;
};

}  // namespace sluice
