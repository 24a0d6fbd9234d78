#include "train/adam.h"

#include <cmath>

#include "base/parallel.h"
#include "base/simd.h"

namespace sluice {

namespace {

struct Constants {
  float rate, one_minus_beta_1, one_minus_beta_2, epsilon;
};

/// Updates in one pass, which memory bandwidth limits: 28 bytes per parameter.
SLUICE_VECTORISED void update(float* __restrict w, float* __restrict m, float* __restrict v,
                              const float* __restrict g, std::size_t count, Constants k) {
  for (std::size_t i = 0; i < count; ++i) {
    m[i] += (g[i] - m[i]) * k.one_minus_beta_1;
    v[i] += (g[i] * g[i] - v[i]) * k.one_minus_beta_2;
    w[i] -= k.rate * m[i] / (std::sqrt(v[i]) + k.epsilon);
  }
}

}  // namespace

Adam::Adam(const AdamOptions& options, const std::vector<CompiledModel::Trained>& trained)
    : options_(options) {
  for (const CompiledModel::Trained& block : trained) {
    moments_.push_back({block, std::vector<float>(block.weights.size()),
                        std::vector<float>(block.weights.size())});
  }
}

void Adam::step() {
  ++t_;
  const double rate = options_.learning_rate * std::sqrt(1 - std::pow(options_.beta_2, t_)) /
                      (1 - std::pow(options_.beta_1, t_));
  const Constants k{static_cast<float>(rate), static_cast<float>(1 - options_.beta_1),
                    static_cast<float>(1 - options_.beta_2), static_cast<float>(options_.epsilon)};
  for (Moments& moments : moments_) {
    float* w = moments.of.weights.data();
    const float* g = moments.of.gradients.data();
    parallel_for(moments.of.weights.size(), kGrainOfValues,
                 [&](std::size_t begin, std::size_t end) {
                   update(w + begin, moments.mean.data() + begin, moments.variance.data() + begin,
                          g + begin, end - begin, k);
                 });
  }
}

}  // namespace sluice
