#include "train/sgd.h"

#include "base/parallel.h"
#include "base/simd.h"

namespace sluice {

namespace {

struct SgdConstants {
  float rate, decay, momentum;
  float of_velocity, of_step;  ///< weights of both in the change of a parameter
};

/// Updates in one pass, which memory bandwidth limits: 20 bytes per parameter.
SLUICE_VECTORISED void update_by_sgd(float* __restrict w, float* __restrict v,
                                     const float* __restrict g, std::size_t count, SgdConstants k) {
  for (std::size_t i = 0; i < count; ++i) {
    const float step = k.rate * (g[i] + k.decay * w[i]);
    v[i] = without_denormals(k.momentum * v[i] - step);
    w[i] += k.of_velocity * v[i] - k.of_step * step;
  }
}

}  // namespace

Sgd::Sgd(const OptimizerOptions& options, const std::vector<CompiledModel::Trained>& trained)
    : options_(options), trained_(trained), ranges_(parameter_ranges(options, trained)) {
  for (const CompiledModel::Trained& block : trained) velocity_.emplace_back(block.weights.size());
}

void Sgd::step(int /*number*/, double learning_rate) {
  const auto momentum = static_cast<float>(options_.momentum);
  for (const ParameterRange& range : ranges_) {
    const SgdConstants k{static_cast<float>(learning_rate * range.rate_factor),
                         static_cast<float>(range.decay), momentum,
                         options_.nesterov ? momentum : 1.f, options_.nesterov ? 1.f : 0.f};
    float* w = trained_[range.block].weights.data() + range.begin;
    float* v = velocity_[range.block].data() + range.begin;
    const float* g = trained_[range.block].gradients.data() + range.begin;
    parallel_for(range.size(), kGrainOfValues, [&](std::size_t begin, std::size_t end) {
      update_by_sgd(w + begin, v + begin, g + begin, end - begin, k);
    });
  }
}

}  // namespace sluice
