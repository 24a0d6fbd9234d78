#include "train/optimizer.h"

#include "train/adam.h"
#include "train/sgd.h"

namespace sluice {

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options,
                                          const std::vector<CompiledModel::Trained>& trained) {
  if (options.name == "sgd") return std::make_unique<Sgd>(options, trained);
  return std::make_unique<Adam>(options, trained);
}

std::vector<ParameterRange> parameter_ranges(const OptimizerOptions& options,
                                             const std::vector<CompiledModel::Trained>& trained) {
  std::vector<ParameterRange> ranges;
  const auto add = [&](const ParameterRange& next) {
    if (!ranges.empty()) {
      ParameterRange& last = ranges.back();
      const bool alike = last.rate_factor == next.rate_factor && last.decay == next.decay;
      if (alike && last.block == next.block) {
        last.end = next.end;
        return;
      }
    }
    ranges.push_back(next);
  };
  for (std::size_t i = 0; i < trained.size(); ++i) {
    if (trained[i].tensors.empty()) {
      add({i, 0, trained[i].weights.size(), 1, options.weight_decay});
    }
    for (const Weights::Tensor& tensor : trained[i].tensors) {
      if (!tensor.trained) continue;
      const std::string kind = tensor.kind.substr(tensor.kind.rfind('/') + 1);  // of an expert's
      const bool norm_bias = kind == "beta";
      const bool bias = norm_bias || kind.ends_with("bias") || kind == "gamma";
      const double factor = norm_bias ? options.norm_bias_learning_rate_factor : 1;
      const double decay = bias && !options.decay_biases ? 0 : options.weight_decay / factor;
      add({i, tensor.offset, tensor.offset + tensor.size, factor, decay});
    }
  }
  return ranges;
}

}  // namespace sluice
