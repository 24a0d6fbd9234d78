#include "train/averages.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sluice {
namespace {

/// Two blocks of values that grow by 1 in each step.
struct Growing {
  explicit Growing(const OptimizerOptions& options)
      : averages(options, {std::span(values).first(1), std::span(values).last(1)}) {}
  void step(int number, int steps) {
    for (float& value : values) value += 1;
    averages.follow(number, steps);
  }

  std::vector<float> values{0, 10};
  Averages averages;
};

TEST(AveragesTest, AreNothingUnlessAsked) {
  Growing model({});
  model.step(1, 2);
  model.averages.swap();
  EXPECT_EQ(model.values, (std::vector<float>{1, 11}));
  EXPECT_TRUE(model.averages.slow().empty());
  EXPECT_TRUE(model.averages.moving().empty());
}

// keras/src/optimizers/base_optimizer.py, _update_model_variables_moving_average.
TEST(AveragesTest, MoveAsKerass) {
  Growing model({.use_ema = true, .ema_momentum = 0.75});
  double expected = 0;
  for (int t = 1; t <= 4; ++t) {
    model.step(t, 4);
    const double momentum = t == 1 ? 0 : 0.75;
    expected = momentum * expected + (1 - momentum) * t;
  }
  EXPECT_EQ(model.values, (std::vector<float>{4, 14}));
  model.averages.swap();
  EXPECT_FLOAT_EQ(model.values[0], static_cast<float>(expected));
  EXPECT_FLOAT_EQ(model.values[1], static_cast<float>(expected + 10));
  model.averages.swap();
  EXPECT_EQ(model.values, (std::vector<float>{4, 14}));
}

// Zhang et al. 2019, algorithm 1, with alpha = 1 - decay.
TEST(AveragesTest, LookaheadGoesBackToTheSlowWeights) {
  Growing model({.lookahead = {.sync_period = 2, .decay = 0.75, .decay_power = 0}});
  model.step(1, 5);
  EXPECT_EQ(model.values[0], 1);
  model.step(2, 5);
  EXPECT_EQ(model.values[0], 0.5) << "a quarter of the way from 0 to 2";
  model.step(3, 5);
  model.step(4, 5);
  EXPECT_EQ(model.values, (std::vector<float>{1, 11}));
  model.step(5, 5);
  EXPECT_EQ(model.values[0], 2);
  model.averages.swap();
  EXPECT_EQ(model.values, (std::vector<float>{1, 11}));
  model.averages.swap();
  EXPECT_EQ(model.values[0], 2);
}

// LookaheadState in airbench94.py: 0.95**5 * (current_steps / total_train_steps)**3.
TEST(AveragesTest, LookaheadSlowsDownOverTheFit) {
  Growing model({.lookahead = {.sync_period = 5}});
  double slow = 0;
  double fast = 0;
  for (int t = 1; t <= 10; ++t) {
    model.step(t, 10);
    fast += 1;
    if (t % 5 != 0) continue;
    const double decay = std::pow(0.95, 5) * std::pow(t / 10.0, 3);
    fast = slow = decay * slow + (1 - decay) * fast;
  }
  EXPECT_FLOAT_EQ(model.values[0], static_cast<float>(slow));
}

}  // namespace
}  // namespace sluice
