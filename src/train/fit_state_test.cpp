// Tests that a stopped fit resumes from a state.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "sluice/evaluation.h"
#include "sluice/lab/models.h"
#include "sluice/trainer.h"
#include "tests/scratch.h"
#include "train/fit_testing.h"

namespace sluice {
namespace {

constexpr int kBatch = 8;  // of 28 images: three full batches and a partial one

/// A state with its own copy of the blocks' values.
struct Copy {
  explicit Copy(const FitState& from) : state(from) {
    for (const FitState::Block& block : from.blocks) {
      values.emplace_back(block.values.begin(), block.values.end());
    }
  }
  void give(FitState& to) const {
    ASSERT_EQ(to.blocks.size(), values.size());
    const std::vector<FitState::Block> blocks = to.blocks;
    to = state;
    to.blocks = blocks;
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(blocks[i].values.size(), values[i].size());
      std::ranges::copy(values[i], blocks[i].values.begin());
    }
  }

  FitState state;
  std::vector<std::vector<float>> values;
};

struct Stopped {};

/// Keeps the last state, and stops the fit after `stop_after` states.
struct Keeper : FitObserver {
  void on_begin(FitState& state) override {
    if (kept) kept->give(state);
    left = stop_after;
    reported.clear();
  }
  void on_epoch(const Progress& progress, const Epoch& epoch) override {
    EXPECT_EQ(progress.epoch, static_cast<int>(reported.size()) + 1);
    reported.push_back(epoch.val_loss);
  }
  bool wants(const FitState&) override { return true; }
  void on_state(const FitState& state) override {
    kept.emplace(state);
    if (--left == 0) throw Stopped();
  }

  int stop_after = 0;
  int left = 0;
  std::optional<Copy> kept;
  std::vector<double> reported;
};

struct Trained {
  std::vector<float> weights;
  History history;
};

class FitStateTest : public testing::Test {
 protected:
  /// Trains a new model each time, so that only the state passes from one to the next. Returns
  /// nothing if it was stopped.
  std::optional<Trained> train(Keeper& keeper) {
    Sequential model = model_;
    model.frozen = frozen_;
    Weights weights(model);
    weights.initialize(1, 1);
    const auto compiled = compile(model, weights, {kBatch});
    try {
      const History history = fit(*compiled, train_, validation_, options_, keeper);
      return Trained{{weights.values().begin(), weights.values().end()}, history};
    } catch (const Stopped&) {
      return std::nullopt;
    }
  }

  /// Trains with a stop after every `states` states, and resumes.
  Trained train_in_pieces(int states) {
    Keeper keeper;
    keeper.stop_after = states;
    for (;;) {
      if (const auto trained = train(keeper)) {
        EXPECT_EQ(keeper.reported.size(), trained->history.epochs.size())
            << "resuming reports all epochs again";
        return *trained;
      }
    }
  }

  void expect_same(const Trained& a, const Trained& b) {
    EXPECT_TRUE(a.weights == b.weights);
    EXPECT_EQ(a.history.restored_epoch, b.history.restored_epoch);
    EXPECT_EQ(a.history.images, b.history.images);
    ASSERT_EQ(a.history.epochs.size(), b.history.epochs.size());
    for (std::size_t i = 0; i < a.history.epochs.size(); ++i) {
      EXPECT_EQ(a.history.epochs[i].loss, b.history.epochs[i].loss);
      EXPECT_EQ(a.history.epochs[i].accuracy, b.history.epochs[i].accuracy);
      EXPECT_EQ(a.history.epochs[i].val_loss, b.history.epochs[i].val_loss);
      EXPECT_EQ(a.history.epochs[i].val_accuracy, b.history.epochs[i].val_accuracy);
    }
    EXPECT_GT(b.history.seconds, 0);
    EXPECT_GT(b.history.images_per_second, 0);
  }

  LabelledImages train_images_ = random_set(28, 1);
  LabelledImages validation_images_ = random_set(10, 2);
  Examples train_{train_images_, kNames};
  Examples validation_{validation_images_, kNames};
  Sequential model_ = cnn("cnn", {8, 8, 3}, kClasses, CnnSize::small);
  std::set<std::string> frozen_;
  FitOptions options_{.epochs = 3, .batch_size = kBatch, .seed = 4};
};

TEST_F(FitStateTest, EndsWithTheSameBitsWhereverItWasStopped) {
  Keeper none;
  const Trained whole = *train(none);
  for (const int states : {1, 2, 3, 4, 5, 7}) {  // an epoch has five states
    SCOPED_TRACE(states);
    expect_same(whole, train_in_pieces(states));
  }
}

TEST_F(FitStateTest, SoDoesOneWithNoiseAndSelectionBiases) {
  MixtureOfExperts mixture{.name = "experts", .noise = 1, .bias_rate = 0.01};
  for (const char* name : {"a", "b", "c"}) {
    mixture.experts.push_back({name, {}, {Conv2D{"conv", 4}}});
  }
  model_ = {"routed",
            {8, 8, 3},
            {GlobalAveragePooling2D{"mean"}, Dense{"gate", 3}, mixture,
             GlobalAveragePooling2D{"all"}, Dense{"output", kClasses, Activation::softmax}},
            {{"experts", {"images", "gate"}}}};
  Keeper none;
  const Trained whole = *train(none);
  const std::span bias = std::span(whole.weights).last(3);
  EXPECT_TRUE(std::ranges::any_of(bias, [](float each) { return each != 0; }));
  for (const int states : {1, 3, 4}) {
    SCOPED_TRACE(states);
    expect_same(whole, train_in_pieces(states));
  }
}

TEST_F(FitStateTest, SoDoesOneWithAugmentation) {
  Keeper first;
  const Trained plain = *train(first);
  options_.augment = {.random_resized_crop = 0.5,
                      .shift = 2,
                      .mirror = Augmentation::Mirror::alternating,
                      .brightness = 0.1,
                      .contrast = 0.1,
                      .cutout = 3,
                      .mixup = 0.4};
  Keeper second;
  const Trained whole = *train(second);
  EXPECT_FALSE(whole.weights == plain.weights);
  for (const int states : {1, 4}) {
    SCOPED_TRACE(states);
    expect_same(whole, train_in_pieces(states));
  }
}

TEST_F(FitStateTest, SoDoesOneThatStopsEarly) {
  options_.epochs = 12;
  options_.optimizer.learning_rate = 0.01;
  options_.early_stopping = {.enabled = true, .patience = 2, .restore_best_weights = true};
  Keeper none;
  const Trained whole = *train(none);
  ASSERT_LT(whole.history.epochs.size(), 12u);
  ASSERT_GT(whole.history.restored_epoch, 1);
  for (const int states : {1, 4, 5}) {
    SCOPED_TRACE(states);
    expect_same(whole, train_in_pieces(states));
  }
}

TEST_F(FitStateTest, SoDoesEveryPartOfTheRecipe) {
  options_.optimizer = {.name = "sgd",
                        .learning_rate = 0.05,
                        .weight_decay = 1e-3,
                        .momentum = 0.9,
                        .nesterov = true,
                        .global_clipnorm = 1,
                        .use_ema = true,
                        .ema_momentum = 0.8,
                        .lookahead = {.sync_period = 3},
                        .schedule = {.name = "one_cycle", .warmup = 0.4}};
  options_.loss = {.label_smoothing = 0.1, .class_weight = {.balanced = true}};
  options_.drop_remainder = true;
  frozen_ = {"conv1.1", "dense1/bias"};
  Keeper none;
  const Trained whole = *train(none);
  for (const int states : {1, 3, 5, 7}) {
    SCOPED_TRACE(states);
    expect_same(whole, train_in_pieces(states));
  }
}

TEST_F(FitStateTest, AFinishedOneIsNotTrainedAgain) {
  Keeper keeper;
  const Trained whole = *train(keeper);
  ASSERT_TRUE(keeper.kept->state.finished);
  struct Counter : Keeper {
    void on_step(const Progress&) override { ++steps; }
    int steps = 0;
  } counter;
  counter.kept = keeper.kept;
  expect_same(whole, *train(counter));
  EXPECT_EQ(counter.steps, 0);
}

TEST_F(FitStateTest, NeverHandsOutWeightsThatAreNotFinite) {
  options_.epochs = 50;
  options_.optimizer.learning_rate = 1e30;
  Keeper keeper;
  const std::string what = error_of(Fault::user, [&] { train(keeper); });
  EXPECT_THAT(what, testing::HasSubstr(" not finite in epoch "));
  EXPECT_THAT(what, testing::HasSubstr(", first in cnn's conv1.2: lower train.learning_rate"));
  for (const std::vector<float>& block : keeper.kept->values) {
    EXPECT_TRUE(std::ranges::all_of(block, [](float value) { return std::isfinite(value); }));
  }
}

}  // namespace
}  // namespace sluice
