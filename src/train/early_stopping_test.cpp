#include "train/early_stopping.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

/// Follows the source of Keras's EarlyStopping: see early_stopping.h.
struct Course {
  EarlyStopping options;
  std::vector<double> values;  ///< of the monitored figure, one per epoch

  int last_epoch = 0;  ///< epoch that ended training, or the last one
  int restored = 0;    ///< restored epoch
  float weight = 0;    ///< weight after restoring: the epoch's number

  void run() {
    std::vector<float> weights(2);
    EarlyStopper stopper(options, {std::span(weights).first(1), std::span(weights).last(1)});
    for (const double value : values) {
      ++last_epoch;
      weights = {static_cast<float>(last_epoch), -static_cast<float>(last_epoch)};
      Epoch epoch{.loss = 9, .accuracy = 0.5, .val_loss = 9, .val_accuracy = 0.5, .seconds = 1};
      (options.monitor == "loss"           ? epoch.loss
       : options.monitor == "accuracy"     ? epoch.accuracy
       : options.monitor == "val_accuracy" ? epoch.val_accuracy
                                           : epoch.val_loss) = value;
      if (!stopper.should_continue(last_epoch, epoch)) break;
    }
    restored = stopper.restore();
    weight = weights[0];
    EXPECT_EQ(weights[1], -weight);
  }
};

Course course(EarlyStopping options, std::vector<double> values) {
  options.enabled = true;
  Course course{options, std::move(values)};
  course.run();
  return course;
}

TEST(EarlyStopper, EndsAfterPatienceEpochsWithoutImprovement) {
  EXPECT_EQ(course({}, {3, 2, 2, 1}).last_epoch, 3) << "equal is no improvement";
  EXPECT_EQ(course({.patience = 1}, {3, 2, 2, 1}).last_epoch, 3);
  EXPECT_EQ(course({.patience = 2}, {3, 2, 2, 1, 1, 1, 0}).last_epoch, 6);
  EXPECT_EQ(course({.patience = 2}, {3, 2, 1, 0}).last_epoch, 4);
}

TEST(EarlyStopper, AsksForMinDelta) {
  EXPECT_EQ(course({.min_delta = 0.5, .patience = 1}, {3, 2.75, 2, 1}).last_epoch, 2);
  EXPECT_EQ(course({.min_delta = 0.25, .patience = 1}, {3, 2.5, 2, 1}).last_epoch, 4);
}

TEST(EarlyStopper, MoreAccuracyIsBetter) {
  for (const char* monitor : {"accuracy", "val_accuracy"}) {
    EXPECT_EQ(course({.monitor = monitor, .patience = 1}, {.1, .2, .3, .2, .9}).last_epoch, 4);
  }
  EXPECT_EQ(course({.monitor = "loss", .patience = 1}, {.3, .2, .3, .1}).last_epoch, 3);
  EXPECT_EQ(course({.monitor = "accuracy", .patience = 1}, {.1, .2, .2, .9}).last_epoch, 3)
      << "equal is no improvement";
  EXPECT_EQ(
      course({.monitor = "accuracy", .min_delta = .25, .patience = 1}, {.25, .5, .875}).last_epoch,
      2);
}

TEST(EarlyStopper, StartsFromAnEpoch) {
  EXPECT_EQ(course({.start_from_epoch = 2}, {1, 2, 3, 2, 3, 9}).last_epoch, 5);
}

TEST(EarlyStopper, RestoresTheBestWeightsWhereAsked) {
  const Course best = course({.patience = 2, .restore_best_weights = true}, {3, 1, 2, 2, 9});
  EXPECT_EQ(best.last_epoch, 4);
  EXPECT_EQ(best.restored, 2);
  EXPECT_EQ(best.weight, 2);
  const Course last = course({.patience = 2}, {3, 1, 2, 2, 9});
  EXPECT_EQ(last.restored, 0);
  EXPECT_EQ(last.weight, 4);
  EXPECT_EQ(course({.patience = 9, .restore_best_weights = true}, {3, 1, 2}).weight, 2)
      << "also where all epochs were run";
}

TEST(EarlyStopper, RestoresNothingWhereNoEpochWasLookedAt) {
  const Course early = course({.restore_best_weights = true, .start_from_epoch = 5}, {3, 2, 1});
  EXPECT_EQ(early.restored, 0);
  EXPECT_EQ(early.weight, 3);
}

TEST(EarlyStopper, DoesNothingUnlessAsked) {
  Course idle{{.restore_best_weights = true}, {1, 2, 3, 4}};
  idle.run();
  EXPECT_EQ(idle.last_epoch, 4);
  EXPECT_EQ(idle.restored, 0);
}

}  // namespace
}  // namespace sluice
