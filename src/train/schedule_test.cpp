#include "train/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::Pointwise;

/// Factors of all steps.
std::vector<double> rates(const Schedule& schedule, int epochs, int steps_per_epoch) {
  std::vector<double> all;
  for (int step = 0; step < epochs * steps_per_epoch; ++step) {
    all.push_back(rate_factor(schedule, step, steps_per_epoch, epochs));
  }
  return all;
}

auto near(std::vector<double> expected) {
  return Pointwise(testing::DoubleNear(1e-12), std::move(expected));
}

TEST(ScheduleTest, IsConstantUnlessAsked) {
  EXPECT_THAT(rates({}, 1, 4), ElementsAre(1, 1, 1, 1));
  const Schedule warm{.warmup = 0.5, .start_factor = 0.5};
  EXPECT_THAT(rates(warm, 1, 4), ElementsAre(0.5, 0.75, 1, 1));
}

TEST(ScheduleTest, LengthsAreSharesOrEpochs) {
  const auto rising = [](double warmup) {
    return rates({.warmup = warmup, .start_factor = 0.5}, 4, 2);
  };
  EXPECT_THAT(rising(0.5), near({0.5, 0.625, 0.75, 0.875, 1, 1, 1, 1}));
  EXPECT_THAT(rising(1), near({0.5, 0.75, 1, 1, 1, 1, 1, 1}));
  EXPECT_THAT(rising(3), near({0.5, 3.5 / 6, 4.0 / 6, 4.5 / 6, 5.0 / 6, 5.5 / 6, 1, 1}));
}

TEST(ScheduleTest, LinearGoesStraightToTheEnd) {
  EXPECT_THAT(rates({.name = "linear", .end_factor = 0.2}, 2, 2), near({1, 0.8, 0.6, 0.4}));
  // The triangle of airbench94.py: start=0.2, peak=0.2, end=0.07, of ten steps.
  const Schedule triangle{.name = "linear", .warmup = 0.2, .start_factor = 0.2, .end_factor = 0.07};
  const double fall = 0.93 / 8;
  EXPECT_THAT(rates(triangle, 5, 2),
              near({0.2, 0.6, 1, 1 - fall, 1 - 2 * fall, 1 - 3 * fall, 1 - 4 * fall, 1 - 5 * fall,
                    1 - 6 * fall, 1 - 7 * fall}));
}

// keras.optimizers.schedules.CosineDecay(0.25, decay_steps=6, alpha=0.1, warmup_target=1,
// warmup_steps=2): (1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha.
TEST(ScheduleTest, CosineEqualsKerassCosineDecay) {
  const double near_peak = 0.9 * (1 + std::sqrt(3) / 2) / 2 + 0.1;
  const Schedule cosine{.name = "cosine", .warmup = 1, .start_factor = 0.25, .end_factor = 0.1};
  EXPECT_THAT(rates(cosine, 4, 2),
              near({0.25, 0.625, 1, near_peak, 0.775, 0.55, 0.325, 1.1 - near_peak}));
}

// torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=10, pct_start=0.4, div_factor=5,
// final_div_factor=20): from step 0 to 0.4 * 10 - 1 up, then down to step 9.
TEST(ScheduleTest, OneCycleEqualsPyTorchs) {
  const Schedule cycle{.name = "one_cycle", .warmup = 0.4, .start_factor = 0.2, .end_factor = 0.01};
  const double third = std::sqrt(3) / 2;  // cosine of a sixth of pi
  const auto down = [](double cosine) { return 0.01 + 0.99 / 2 * (1 + cosine); };
  EXPECT_THAT(rates(cycle, 1, 10), near({0.2, 0.4, 0.8, 1, down(third), down(0.5), down(0),
                                         down(-0.5), down(-third), 0.01}));
  EXPECT_THAT(rates(cycle, 1, 1), ElementsAre(0.01));
  EXPECT_THAT(rates({.name = "one_cycle", .end_factor = 0.5}, 1, 2), near({0.75, 0.5}));
}

TEST(ScheduleTest, StepsFallAtTheMilestones) {
  const Schedule steps{.name = "steps", .milestones = {0.75, 1}, .gamma = 0.5};
  EXPECT_THAT(rates(steps, 4, 2), near({1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25}));
  const Schedule warm{.name = "steps", .warmup = 0.25, .milestones = {3, 9}, .gamma = 0.1};
  EXPECT_THAT(rates(warm, 4, 2), near({0, 0.5, 1, 1, 1, 1, 0.1, 0.1}));
}

}  // namespace
}  // namespace sluice
