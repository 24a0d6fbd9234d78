#pragma once

#include <memory>
#include <span>
#include <vector>

#include "sluice/network.h"
#include "sluice/trainer.h"

namespace sluice {

/// Returns a mean of gradients, or 0 for one that is too small to change a parameter. Where a
/// gradient stays 0 the mean falls by a factor a step, after 800 steps of 0.9 to denormal numbers,
/// of which each operation takes the processor a hundred cycles.
inline float without_denormals(float mean) {
  constexpr float kSmallest = 1e-30F;
  return mean < kSmallest && mean > -kSmallest ? 0.F : mean;
}

/// Changes parameters by their gradients.
class Optimizer {
 public:
  /// Values to save or restore.
  struct State {
    const char* name;
    std::span<float> values;
  };

  virtual ~Optimizer() = default;
  /// Steps count from 1.
  virtual void step(int number, double learning_rate) = 0;
  /// State that belongs to a block of the parameters.
  virtual std::vector<State> state(std::size_t block) = 0;
};

/// Makes the optimizer that the options name. It refers to the parameters and gradients.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options,
                                          const std::vector<CompiledModel::Trained>& trained);

/// Neighbouring parameters of a block that learn and decay alike.
struct ParameterRange {
  std::size_t block;
  std::size_t begin;
  std::size_t end;
  double rate_factor;  ///< of the learning rate
  double decay;        ///< weight_decay

  std::size_t size() const { return end - begin; }
};

/// Divides all parameters into ranges, as few as possible. A block without tensors is one of
/// kernels.
std::vector<ParameterRange> parameter_ranges(const OptimizerOptions& options,
                                             const std::vector<CompiledModel::Trained>& trained);

}  // namespace sluice
