#include "train/adam.h"

#include <cmath>

#include "base/parallel.h"
#include "base/simd.h"

namespace sluice {

namespace {

struct AdamConstants {
  float rate, decay, one_minus_beta_1, one_minus_beta_2, epsilon;
};

/// Updates in one pass, which memory bandwidth limits: 28 bytes per parameter.
SLUICE_VECTORISED void update_by_adam(float* __restrict w, float* __restrict m, float* __restrict v,
                                      const float* __restrict g, std::size_t count,
                                      AdamConstants k) {
  for (std::size_t i = 0; i < count; ++i) {
    m[i] = without_denormals(m[i] + (g[i] - m[i]) * k.one_minus_beta_1);
    v[i] += (g[i] * g[i] - v[i]) * k.one_minus_beta_2;
    w[i] -= k.decay * w[i] + k.rate * m[i] / (std::sqrt(v[i]) + k.epsilon);
  }
}

}  // namespace

Adam::Adam(const OptimizerOptions& options, const std::vector<CompiledModel::Trained>& trained)
    : options_(options), ranges_(parameter_ranges(options, trained)) {
  for (const CompiledModel::Trained& block : trained) {
    moments_.push_back({block, std::vector<float>(block.weights.size()),
                        std::vector<float>(block.weights.size())});
  }
}

void Adam::step(int number, double learning_rate) {
  for (const ParameterRange& range : ranges_) {
    const double rate = learning_rate * range.rate_factor;
    const double corrected = rate * std::sqrt(1 - std::pow(options_.beta_2, number)) /
                             (1 - std::pow(options_.beta_1, number));
    const AdamConstants k{static_cast<float>(corrected), static_cast<float>(rate * range.decay),
                          static_cast<float>(1 - options_.beta_1),
                          static_cast<float>(1 - options_.beta_2),
                          static_cast<float>(options_.epsilon)};
    Moments& moments = moments_[range.block];
    float* w = moments.of.weights.data() + range.begin;
    float* m = moments.mean.data() + range.begin;
    float* v = moments.variance.data() + range.begin;
    const float* g = moments.of.gradients.data() + range.begin;
    parallel_for(range.size(), kGrainOfValues, [&](std::size_t begin, std::size_t end) {
      update_by_adam(w + begin, m + begin, v + begin, g + begin, end - begin, k);
    });
  }
}

std::vector<Optimizer::State> Adam::state(std::size_t block) {
  return {{"mean", moments_[block].mean}, {"variance", moments_[block].variance}};
}

}  // namespace sluice
