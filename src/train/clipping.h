#pragma once

#include <span>
#include <vector>

#include "sluice/network.h"
#include "sluice/trainer.h"

namespace sluice {

/// Limits gradients as keras.optimizers.Optimizer does (base_optimizer.py, _clip_gradients). The
/// result does not depend on the number of threads.
class Clipping {
 public:
  /// Refers to the gradients.
  Clipping(const OptimizerOptions& options, const std::vector<CompiledModel::Trained>& trained);

  void clip();

 private:
  double sum_of_squares(std::span<const float> values);

  OptimizerOptions options_;
  std::vector<std::span<float>> gradients_;  ///< by block
  std::vector<std::span<float>> tensors_;    ///< the same by tensor
  std::vector<double> sums_;                 ///< of the parts of a block
};

}  // namespace sluice
