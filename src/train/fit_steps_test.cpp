// What fit() asks of a model and tells of it, step by step: the model here only keeps what it is
// given.

#include <chrono>
#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include "base/timer.h"
#include "sluice/trainer.h"
#include "tests/scratch.h"
#include "train/fit_testing.h"

namespace sluice {
namespace {

using testing::HasSubstr;
using Rows = std::vector<int>;

constexpr int kRowsAtOnce = 8;  // of 20 images: two whole batches and a part
constexpr double kPause = 0.01;

/// Images of one pixel, which has the image's number; labels are 0, 0, 1, 2, 3 in turn.
LabelledImages numbered(int first, int count) {
  LabelledImages images{{1, 1, 3}, {}, {}};
  for (int i = 0; i < count; ++i) {
    images.pixels.insert(images.pixels.end(), 3, static_cast<std::uint8_t>(first + i));
    images.labels.push_back(std::max(0, i % 5 - 1));
  }
  return images;
}

/// Answers all images with equal shares. Two blocks of one weight each, as a mixture has several.
class KeepingModel : public CompiledModel {
 public:
  int max_batch() const override { return kRowsAtOnce; }
  const Shape& input_shape() const override { return shape_; }
  int outputs() const override { return kClasses; }
  bool ends_in_softmax() const override { return false; }
  std::span<const float> predict(std::span<const float> images, int count) override {
    predicted.push_back(numbers(images));
    weights_in_predict.push_back(weight());
    std::this_thread::sleep_for(std::chrono::duration<double>(kPause));
    return answer(count);
  }
  std::span<const float> forward(std::span<const float> images, int count,
                                 const RandomKey& key) override {
    batches.push_back(numbers(images));
    keys.push_back(key);
    state_[0] += 1;
    std::this_thread::sleep_for(std::chrono::duration<double>(kPause));
    return answer(count);
  }
  std::span<const float> logits() const override { return {}; }
  void backward(std::span<const float> of_outputs, GradientOf) override {
    backwards.emplace_back(of_outputs.begin(), of_outputs.end());
    const bool breaks = static_cast<int>(batches.size()) == breaks_after;
    gradients_[0] = gradient;
    gradients_[1] = breaks ? std::numeric_limits<float>::quiet_NaN() : 0;
  }
  std::vector<Trained> trained() override {
    return {{std::span(weights_).first(1), std::span(gradients_).first(1)},
            {std::span(weights_).last(1), std::span(gradients_).last(1)}};
  }
  std::vector<std::span<float>> state() override { return {state_}; }
  float weight() const { return weights_[0]; }  ///< of the first block
  std::string first_not_finite() const override { return "the second block"; }
  void start_profile() override {}
  std::vector<LayerProfile> profile() const override { return {}; }

  /// The images of an epoch in the order in which they came.
  Rows epoch(int number) const {
    Rows all;
    for (int step = 0; step < 3; ++step) {
      const Rows& batch = batches.at(3 * (number - 1) + step);
      all.insert(all.end(), batch.begin(), batch.end());
    }
    return all;
  }

  std::vector<Rows> batches;
  std::vector<Rows> predicted;
  std::vector<float> weights_in_predict;
  std::vector<RandomKey> keys;
  float gradient = 0;                         ///< of the first block
  std::vector<std::vector<float>> backwards;  ///< gradients of the outputs
  int breaks_after = 0;  ///< a step, after which the second block is not finite

 private:
  static Rows numbers(std::span<const float> images) {
    Rows rows;
    for (std::size_t i = 0; i < images.size(); i += 3) {
      rows.push_back(static_cast<int>(std::lround(images[i] * 255)));
    }
    return rows;
  }
  std::span<const float> answer(int count) {
    outputs_.assign(std::size_t(count) * kClasses, 0.25f);
    return outputs_;
  }

  Shape shape_{1, 1, 3};
  std::vector<float> outputs_;
  std::vector<float> weights_{1, 1};
  std::vector<float> gradients_{0, 0};
  std::vector<float> state_{0};  ///< number of training passes
};

class FitSteps : public testing::Test {
 protected:
  History run(KeepingModel& model, const FitOptions& options) {
    return fit(model, train_, validation_, options, *observer_);
  }
  static FitOptions with(std::uint64_t seed, std::uint32_t stage, int epochs = 2) {
    return {.epochs = epochs, .batch_size = kRowsAtOnce, .seed = seed, .stage = stage};
  }

  LabelledImages train_images_ = numbered(0, 20);
  LabelledImages validation_images_ = numbered(100, 10);
  Examples train_{train_images_, kNames};
  Examples validation_{validation_images_, kNames};
  FitObserver silent_;
  FitObserver* observer_ = &silent_;
};

TEST_F(FitSteps, TheScheduleGoesOverTheWholeFitWithLimitedGradients) {
  KeepingModel model;
  model.gradient = 8;
  FitOptions options = with(1, 2);  // six steps
  options.optimizer = {.name = "sgd",
                       .learning_rate = 0.25,
                       .clipvalue = 2,
                       .schedule = {.name = "linear", .warmup = 1. / 3, .start_factor = 0.5}};
  run(model, options);
  const float factors = 0.5f + 0.75f + 1 + 0.75f + 0.5f + 0.25f;
  EXPECT_EQ(model.weight(), 1 - 0.25f * 2 * factors);
}

TEST_F(FitSteps, AveragesAreValidatedAndKept) {
  struct Watcher : FitObserver {
    void on_epoch(const Progress&, const Epoch&) override { after.push_back(model->weight()); }
    KeepingModel* model = nullptr;
    std::vector<float> after;
  } watcher;
  KeepingModel model;
  watcher.model = &model;
  observer_ = &watcher;
  model.gradient = 1;
  FitOptions options = with(1, 2);  // six steps of -1
  options.optimizer = {.name = "sgd", .learning_rate = 1, .use_ema = true, .ema_momentum = 0.5};
  run(model, options);
  // After the steps 0, -1, -2, -3, -4, -5 the averages are 0, -.5, -1.25 and so on.
  EXPECT_EQ(model.weights_in_predict, (std::vector<float>{-1.25, -1.25, -4.03125, -4.03125}));
  EXPECT_EQ(watcher.after, (std::vector<float>{-2, -5})) << "training goes on from the weights";
  EXPECT_EQ(model.weight(), -4.03125f);

  KeepingModel second;
  second.gradient = 1;
  observer_ = &silent_;
  options.optimizer = {
      .name = "sgd", .learning_rate = 1, .lookahead = {.sync_period = 5, .decay = 0}};
  run(second, options);
  // The slow weights are those before the first step, then those after the fifth.
  EXPECT_EQ(second.weights_in_predict, (std::vector<float>{1, 1, -4, -4}));
  EXPECT_EQ(second.weight(), -4);
}

TEST_F(FitSteps, LabelsAreSmoothedAndWeighedInTrainingAlone) {
  KeepingModel model;  // answers with a quarter for each class
  FitOptions options = with(1, 1);
  const double plain = std::log(4);
  options.loss.label_smoothing = 0.5;
  EXPECT_NEAR(run(model, options).epochs[0].loss, plain, 1e-6);
  options.loss = {.class_weight = {.of = {{"a", 3}}}};  // two of five images
  KeepingModel second;
  const Epoch epoch = run(second, options).epochs[0];
  EXPECT_NEAR(epoch.loss, plain * (2 * 3 + 3) / 5, 1e-6);
  EXPECT_NEAR(epoch.val_loss, plain, 1e-6);
}

TEST_F(FitSteps, EveryEpochStageAndSeedHasAnOrderOfItsOwn) {
  std::set<Rows> orders;
  for (const auto& [seed, stage] : {std::pair{1, 1}, {1, 2}, {2, 1}}) {
    KeepingModel model;
    run(model, with(seed, stage));
    ASSERT_EQ(model.batches.size(), 6u);
    EXPECT_EQ(model.batches[2].size(), 4u);
    for (const int epoch : {1, 2}) {
      Rows rows = model.epoch(epoch);
      EXPECT_TRUE(orders.insert(rows).second)
          << "seed " << seed << ", stage " << stage << ", epoch " << epoch;
      std::ranges::sort(rows);
      for (int i = 0; i < 20; ++i) EXPECT_EQ(rows[i], i) << "every image once";
    }
  }
}

TEST_F(FitSteps, EveryStepHasAKeyOfItsOwn) {
  KeepingModel model;
  run(model, with(7, 3));
  ASSERT_EQ(model.keys.size(), 6u);
  for (std::uint32_t step = 0; step < 6; ++step) {
    EXPECT_EQ(model.keys[step].step, step) << "counts on from epoch to epoch";
    EXPECT_EQ(model.keys[step].seed, 7u);
    EXPECT_EQ(model.keys[step].stage, 3u);
  }
}

TEST_F(FitSteps, MixupTrainsOnBothLabels) {
  KeepingModel plain;
  run(plain, with(1, 1));
  KeepingModel mixed;
  FitOptions options = with(1, 1);
  options.augment.mixup = 1;
  const History history = run(mixed, options);
  for (std::size_t step = 0; step < plain.batches.size(); ++step) {
    const Rows& rows = plain.batches[step];  // the same order
    const auto label = [&](std::size_t row) { return train_.label(rows[row % rows.size()]); };
    // Outputs of 1/4 have the gradient (1 - 4 target) / rows.
    const auto target = [&](std::size_t row, int c) {
      const float gradient = mixed.backwards[step][row * kClasses + c];
      return (1 - gradient * static_cast<float>(rows.size())) / 4;
    };
    std::set<int> weights;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      float sum = 0;
      for (int c = 0; c < kClasses; ++c) {
        sum += target(row, c);
        const bool wanted = c == label(row) || c == label(row + 1);
        EXPECT_TRUE(wanted || std::abs(target(row, c)) < 1e-6);
      }
      EXPECT_NEAR(sum, 1, 1e-6);
      if (label(row) == label(row + 1)) continue;
      EXPECT_GE(target(row, label(row)), 0.5f);
      weights.insert(static_cast<int>(std::lround(1e4f * target(row, label(row)))));
    }
    EXPECT_EQ(weights.size(), 1u) << "one weight for each batch";
    EXPECT_NE(weights, std::set<int>{10000});
  }
  for (const Epoch& epoch : history.epochs) EXPECT_NEAR(epoch.loss, std::log(4), 1e-6);
}

TEST_F(FitSteps, FiguresAreThoseOfTheirEpochAndTheirImages) {
  KeepingModel model;
  const History history = run(model, with(1, 1));
  // The first of equal outputs counts as the answer.
  for (const Epoch& epoch : history.epochs) {
    EXPECT_DOUBLE_EQ(epoch.accuracy, 0.4);
    EXPECT_DOUBLE_EQ(epoch.val_accuracy, 0.4);
    EXPECT_NEAR(epoch.loss, std::log(4), 1e-6);
    EXPECT_NEAR(epoch.val_loss, std::log(4), 1e-6);
  }
  EXPECT_EQ(history.images, 40);
  ASSERT_EQ(model.predicted.size(), 4u) << "two batches of validation images, twice";
  EXPECT_EQ(model.predicted[0], (Rows{100, 101, 102, 103, 104, 105, 106, 107}));
  EXPECT_EQ(model.predicted[1], (Rows{108, 109}));
}

/// Keeps what it is told, and when.
struct Clocked : FitObserver {
  void on_step(const Progress& progress) override {
    steps.push_back(progress);
    since_epoch.push_back(clock.seconds());
  }
  void on_epoch(const Progress& progress, const Epoch&) override {
    epochs.push_back(progress);
    clock = Timer();
  }
  Timer clock;
  std::vector<Progress> steps;
  std::vector<double> since_epoch;  ///< seconds, by step
  std::vector<Progress> epochs;
};

TEST_F(FitSteps, TimesAreThoseOfTheirEpochAndTellWhatIsLeft) {
  Clocked clocked;
  observer_ = &clocked;
  KeepingModel model;
  const History history = run(model, with(1, 1));
  ASSERT_EQ(clocked.steps.size(), 6u);
  for (const Progress& at : clocked.steps) {
    EXPECT_GE(at.seconds, kPause * at.step);
    EXPECT_DOUBLE_EQ(at.seconds_per_step, at.seconds / at.step);
  }
  for (int step = 3; step < 6; ++step) {
    EXPECT_LE(clocked.steps[step].seconds, clocked.since_epoch[step]) << "begins at 0 again";
  }
  for (int step = 0; step < 3; ++step) {  // nothing is known of validation yet
    const Progress& at = clocked.steps[step];
    EXPECT_DOUBLE_EQ(at.seconds_left, (5 - step) * at.seconds_per_step);
  }
  EXPECT_GE(clocked.steps[5].seconds_left, 2 * kPause) << "the last validation";
  double training = 0;
  for (const Epoch& epoch : history.epochs) training += epoch.seconds;
  EXPECT_DOUBLE_EQ(clocked.epochs[0].seconds_per_step, history.epochs[0].seconds / 3);
  EXPECT_DOUBLE_EQ(history.images_per_second, 40 / training);
  EXPECT_GE(history.seconds, training + 4 * kPause) << "with validation";
  EXPECT_GT(history.cpu_seconds, 0);
}

TEST_F(FitSteps, WeightsOfEveryBlockAreLookedAtBeforeValidation) {
  KeepingModel model;
  model.breaks_after = 3;
  EXPECT_EQ(error_of(Fault::user, [&] { run(model, with(1, 1)); }),
            "[train] weights are not finite in epoch 1, step 3, first in the second block: lower "
            "train.learning_rate");
  EXPECT_TRUE(model.predicted.empty());
}

TEST_F(FitSteps, WeightsOfEveryBlockAreLookedAtBeforeTheyAreHandedOut) {
  struct Wanting : FitObserver {
    bool wants(const FitState& state) override { return state.step == 2; }
    void on_state(const FitState&) override { FAIL() << "handed out"; }
  } wanting;
  observer_ = &wanting;
  KeepingModel model;
  model.breaks_after = 2;
  EXPECT_THAT(error_of(Fault::user, [&] { run(model, with(1, 1)); }),
              HasSubstr("weights are not finite in epoch 1, step 2"));
}

TEST_F(FitSteps, StateThatIsNotTrainedIsKeptAndRestored) {
  struct Blocks : FitObserver {
    void on_begin(FitState& state) override { blocks = state.blocks; }
    std::vector<FitState::Block> blocks;
  } observer;
  observer_ = &observer;
  KeepingModel model;
  FitOptions options = with(1, 1, 3);
  options.early_stopping = {
      .enabled = true, .min_delta = 1, .patience = 1, .restore_best_weights = true};
  EXPECT_EQ(run(model, options).restored_epoch, 1);
  const auto block = [&](const std::string& name) {
    const auto found = std::ranges::find(observer.blocks, name, &FitState::Block::name);
    return found == observer.blocks.end() ? std::span<float>() : found->values;
  };
  ASSERT_EQ(block("state/0").size(), 1u);
  EXPECT_EQ(block("state/0")[0], 3) << "the value after the first epoch, of two";
  EXPECT_EQ(block("best/2").size(), 1u) << "the state's best value is resumed, too";
}

}  // namespace
}  // namespace sluice
