#include "train/optimizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ops/reference/reference.h"
#include "runtime/network_testing.h"

namespace sluice {
namespace {

/// Trains parameters with random gradients, and beside them the same in plain double precision.
class OptimizerTest : public testing::Test {
 protected:
  /// Calls plain(t) after step t from 1, and compares with w_.
  template <class Plain>
  void compare(const OptimizerOptions& options, const Plain& plain) {
    const auto optimizer = make_optimizer(options, {{weights_, gradients_}});
    for (int t = 1; t <= 20; ++t) {
      std::ranges::transform(random_images(kCount, 100 + t), gradients_.begin(),
                             [](float g) { return g - 0.5f; });
      std::ranges::copy(gradients_, g_.begin());
      optimizer->step(t, options.learning_rate / t);
      plain(t, options.learning_rate / t);
    }
    EXPECT_LT(relative_error(weights_, w_), 1e-5);
  }

  static constexpr std::size_t kCount = 50000;  // several threads have work
  std::vector<float> weights_ = random_images(kCount, 1);
  std::vector<float> gradients_ = std::vector<float>(kCount);
  reference::Values w_{weights_.begin(), weights_.end()};
  reference::Values g_ = reference::Values(kCount);
  reference::Values m_ = reference::Values(kCount);
  reference::Values v_ = reference::Values(kCount);
};

TEST_F(OptimizerTest, AdamEqualsKerassForm) {
  compare({.learning_rate = 0.1},
          [&](int t, double rate) { reference::adam(w_, m_, v_, g_, t, rate, 0.9, 0.999, 1e-7); });
}

TEST_F(OptimizerTest, EveryOptionOfAdamCounts) {
  const OptimizerOptions options{
      .learning_rate = 0.2, .beta_1 = 0.7, .beta_2 = 0.9, .epsilon = 0.25};
  compare(options,
          [&](int t, double rate) { reference::adam(w_, m_, v_, g_, t, rate, 0.7, 0.9, 0.25); });
}

// Denormal numbers would make a step of such parameters several times as long.
TEST_F(OptimizerTest, MeansOfGradientsThatStayZeroBecomeZero) {
  for (const OptimizerOptions& options :
       {OptimizerOptions{.learning_rate = 1e-3},
        OptimizerOptions{.name = "sgd", .learning_rate = 1e-3, .momentum = 0.9}}) {
    const auto optimizer = make_optimizer(options, {{weights_, gradients_}});
    std::ranges::copy(random_images(kCount, 2), gradients_.begin());
    optimizer->step(1, 1e-3);
    std::ranges::fill(gradients_, 0.F);
    for (int t = 2; t <= 900; ++t) optimizer->step(t, 1e-3);
    EXPECT_EQ(std::ranges::count(optimizer->state(0).front().values, 0.F), kCount);
  }
}

// keras/src/optimizers/base_optimizer.py, _apply_weight_decay: before the step, by the rate of the
// step.
TEST_F(OptimizerTest, AdamWDecaysAsKeras) {
  compare({.name = "adamw", .learning_rate = 0.1, .weight_decay = 0.5}, [&](int t, double rate) {
    for (double& w : w_) w -= w * 0.5 * rate;
    reference::adam(w_, m_, v_, g_, t, rate, 0.9, 0.999, 1e-7);
  });
}

// keras/src/optimizers/sgd.py.
TEST_F(OptimizerTest, SgdEqualsKerass) {
  compare({.name = "sgd", .learning_rate = 0.1}, [&](int, double rate) {
    for (std::size_t i = 0; i < kCount; ++i) w_[i] -= rate * g_[i];
  });
}

TEST_F(OptimizerTest, MomentumEqualsKerass) {
  compare({.name = "sgd", .learning_rate = 0.1, .momentum = 0.8}, [&](int, double rate) {
    for (std::size_t i = 0; i < kCount; ++i) {
      m_[i] = 0.8 * m_[i] - rate * g_[i];
      w_[i] += m_[i];
    }
  });
}

TEST_F(OptimizerTest, NesterovsEqualsKerass) {
  compare({.name = "sgd", .learning_rate = 0.1, .momentum = 0.8, .nesterov = true},
          [&](int, double rate) {
            for (std::size_t i = 0; i < kCount; ++i) {
              m_[i] = 0.8 * m_[i] - rate * g_[i];
              w_[i] += 0.8 * m_[i] - rate * g_[i];
            }
          });
}

// torch/optim/sgd.py: d_p = p.grad + weight_decay * p.
TEST_F(OptimizerTest, SgdDecaysAsPyTorch) {
  const OptimizerOptions options{
      .name = "sgd", .learning_rate = 0.1, .weight_decay = 0.3, .momentum = 0.8, .nesterov = true};
  compare(options, [&](int, double rate) {
    for (std::size_t i = 0; i < kCount; ++i) {
      const double g = g_[i] + 0.3 * w_[i];
      m_[i] = 0.8 * m_[i] - rate * g;
      w_[i] += 0.8 * m_[i] - rate * g;
    }
  });
}

TEST_F(OptimizerTest, MovesOnWithoutAGradient) {
  for (const char* name : {"adam", "sgd"}) {
    std::vector<float> weights{1};
    std::vector<float> gradients{1};
    const auto optimizer = make_optimizer({.name = name, .momentum = 0.5}, {{weights, gradients}});
    optimizer->step(1, 0.1);
    const float after_one = weights[0];
    gradients[0] = 0;
    optimizer->step(2, 0.1);
    EXPECT_LT(weights[0], after_one) << name;
  }
}

/// The tensors of a convolution, its normalisation and a dense layer, of one value each.
class ParameterKinds : public testing::Test {
 protected:
  static Weights::Tensor tensor(const char* kind, std::size_t offset, bool trained = true) {
    return {"layer", kind, {1}, offset, 1, Initializer::zeros, trained};
  }
  std::vector<CompiledModel::Trained> trained() {
    return {{std::span(weights_).first(5), gradients_, tensors_}};
  }

  std::vector<Weights::Tensor> tensors_{tensor("kernel", 0), tensor("gamma", 1),
                                        tensor("beta", 2),   tensor("mean", 5, false),
                                        tensor("kernel", 3), tensor("gate_bias", 4)};
  std::vector<float> weights_ = std::vector<float>(6, 1.f);
  std::vector<float> gradients_ = std::vector<float>(5);
};

TEST_F(ParameterKinds, AreOneRangeUnlessTheyDiffer) {
  EXPECT_EQ(parameter_ranges({}, trained()).size(), 1u);
  EXPECT_EQ(parameter_ranges({}, trained())[0].size(), 5u);
  EXPECT_EQ(parameter_ranges({.weight_decay = 0.1}, trained()).size(), 4u);
  EXPECT_EQ(parameter_ranges({.weight_decay = 0.1, .decay_biases = true}, trained()).size(), 1u);
  std::vector<CompiledModel::Trained> two = trained();
  two.push_back(two[0]);
  EXPECT_EQ(parameter_ranges({}, two).size(), 2u) << "one for each block";
}

TEST_F(ParameterKinds, OnlyKernelsDecayUnlessAsked) {
  for (const char* name : {"adamw", "sgd"}) {
    SCOPED_TRACE(name);
    std::ranges::fill(weights_, 1.f);
    make_optimizer({.name = name, .weight_decay = 0.5}, trained())->step(1, 0.5);
    EXPECT_EQ(weights_, (std::vector<float>{0.75, 1, 1, 0.75, 1, 1}));
    make_optimizer({.name = name, .weight_decay = 0.5, .decay_biases = true}, trained())
        ->step(1, 0.5);
    EXPECT_EQ(weights_, (std::vector<float>{0.5625, 0.75, 0.75, 0.5625, 0.75, 1}));
  }
}

TEST_F(ParameterKinds, BiasesOfNormalisationLearnFasterAndDecayAsTheOthers) {
  std::ranges::fill(gradients_, 0.125f);
  OptimizerOptions options{.name = "sgd", .norm_bias_learning_rate_factor = 4};
  make_optimizer(options, trained())->step(1, 0.5);
  EXPECT_EQ(weights_, (std::vector<float>{0.9375, 0.9375, 0.75, 0.9375, 0.9375, 1}));
  for (const char* name : {"adamw", "sgd"}) {
    SCOPED_TRACE(name);
    std::ranges::fill(weights_, 1.f);
    std::ranges::fill(gradients_, 0.f);
    options = {.name = name,
               .weight_decay = 0.5,
               .decay_biases = true,
               .norm_bias_learning_rate_factor = 4};
    make_optimizer(options, trained())->step(1, 0.5);
    EXPECT_EQ(weights_, (std::vector<float>{0.75, 0.75, 0.75, 0.75, 0.75, 1}));
  }
}

}  // namespace
}  // namespace sluice
