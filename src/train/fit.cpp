#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/fail.h"
#include "base/text.h"
#include "base/timer.h"
#include "data/batch_sequence.h"
#include "data/prefetcher.h"
#include "eval/outputs.h"
#include "sluice/evaluation.h"
#include "sluice/trainer.h"
#include "train/averages.h"
#include "train/class_weights.h"
#include "train/clipping.h"
#include "train/early_stopping.h"
#include "train/optimizer.h"
#include "train/require.h"
#include "train/schedule.h"

namespace sluice {

namespace {

/// Values that training changes: trained ones, then state.
std::vector<std::span<float>> values_of(CompiledModel& model) {
  std::vector<std::span<float>> values;
  for (const CompiledModel::Trained& each : model.trained()) values.push_back(each.weights);
  for (const std::span<float> each : model.state()) values.push_back(each);
  return values;
}

/// Epochs of the training of which a fit is a part.
int all_epochs(const FitOptions& options) {
  return options.epochs_before + options.epochs + options.epochs_after;
}

/// Figures of an epoch without images to validate on.
Evaluation no_evaluation() {
  Evaluation none;
  none.accuracy = none.loss = std::numeric_limits<double>::quiet_NaN();
  return none;
}

/// State of one fit, shared by its epochs.
class Fit {
 public:
  Fit(CompiledModel& model, const Examples& train, const Examples& validation,
      const FitOptions& options, FitObserver& observer)
      : model_(model),
        train_(train),
        validation_(validation),
        options_(options),
        observer_(observer),
        trained_(model.trained()),
        optimizer_(make_optimizer(options.optimizer, trained_)),
        clipping_(options.optimizer, trained_),
        averages_(options.optimizer, values_of(model)),
        batches_{static_cast<std::size_t>(options.batch_size), options.seed, options.stage,
                 options.augment, options.drop_remainder},
        images_(batches_.used(train.size())),
        class_weights_(class_weights(options.loss.class_weight, train)),
        stopper_(options.early_stopping, values_of(model)) {
    state_.goes_on = options.epochs_after > 0;
    progress_.epochs = options.epochs;
    progress_.steps = static_cast<int>((images_ + batches_.batch_size - 1) / batches_.batch_size);
  }

  History run() {
    name_blocks();
    observer_.on_begin(state_);
    stopper_.state() = state_.stopping;
    for (const Epoch& epoch : state_.history.epochs) {
      ++progress_.epoch;
      tell(epoch);
    }
    start_batches();
    while (!state_.finished) {
      run_epoch();
      hand_out();
    }
    return state_.history;
  }

 private:
  void name_blocks() {
    const auto add = [&](const char* what, std::size_t number, std::span<float> values) {
      state_.blocks.push_back({fmt::format("{}/{}", what, number), values});
    };
    for (std::size_t i = 0; i < trained_.size(); ++i) {
      add("weights", i, trained_[i].weights);
      for (const Optimizer::State& part : optimizer_->state(i)) add(part.name, i, part.values);
    }
    const std::vector<std::span<float>> state = model_.state();
    for (std::size_t i = 0; i < state.size(); ++i) add("state", i, state[i]);
    const auto add_all = [&](const char* what, std::vector<std::vector<float>>& all) {
      for (std::size_t i = 0; i < all.size(); ++i) add(what, i, all[i]);
    };
    add_all("best", stopper_.best_weights());
    add_all("slow", averages_.slow());
    add_all("average", averages_.moving());
  }

  int steps_done() const { return (state_.epoch - 1) * progress_.steps + state_.step; }
  /// Likewise since the first of the epochs before this fit.
  int all_steps_done() const { return options_.epochs_before * progress_.steps + steps_done(); }

  /// Without augmentation a thread would cost more than it saves.
  void start_batches() {
    sequence_.emplace(train_, batches_, state_.epoch, state_.step);
    if (!options_.augment.any() || state_.finished) return;
    prefetcher_.emplace([this](Batch& batch) { sequence_->fill_next(batch); });
  }

  const Batch& next_batch() {
    if (prefetcher_) return prefetcher_->next();
    sequence_->fill_next(batch_);
    return batch_;
  }

  /// Starts at the first step, or at the step of the restored state.
  void run_epoch() {
    const double seconds_before = state_.seconds;
    progress_.epoch = state_.epoch;
    const Timer timer;
    while (state_.step < progress_.steps) {
      const Batch& batch = next_batch();
      state_.loss += train_batch(batch);
      state_.right += count_right(outputs_, batch.labels);
      ++state_.step;
      state_.seconds = seconds_before + timer.seconds();
      report_step(static_cast<double>(std::min(state_.step * batches_.batch_size, images_)));
      hand_out();
    }
    end_epoch();
  }

  /// Returns the batch's summed loss.
  double train_batch(const Batch& batch) {
    const RandomKey key{options_.seed, options_.stage, 0, static_cast<std::uint32_t>(steps_done())};
    model_.set_labels(batch.labels);
    outputs_ = model_.forward(batch.images, batch.size(), key);
    gradient_.resize(outputs_.size());
    weigh(batch.labels, batch.weights);
    double loss = summed_loss(model_, outputs_, batch.labels, gradient_, targets());
    if (!batch.other_labels.empty()) loss = mix_losses(batch, loss);
    if (!std::isfinite(loss)) fail_not_finite("the loss is", state_.step + 1);
    model_.backward(gradient_, gradient_of(model_));
    clipping_.clip();
    optimizer_->step(all_steps_done() + 1, learning_rate());
    averages_.follow(steps_done() + 1, progress_.steps * options_.epochs);
    return loss;
  }

  double learning_rate() const {
    return options_.optimizer.learning_rate * rate_factor(options_.optimizer.schedule,
                                                          all_steps_done(), progress_.steps,
                                                          all_epochs(options_));
  }

  /// Works out the weight of each row: that of its class times that of its image.
  void weigh(std::span<const int> labels, std::span<const float> of_images) {
    row_weights_.clear();
    if (class_weights_.empty() && of_images.empty()) return;
    for (std::size_t row = 0; row < labels.size(); ++row) {
      row_weights_.push_back((class_weights_.empty() ? 1 : class_weights_[labels[row]]) *
                             (of_images.empty() ? 1 : of_images[row]));
    }
  }

  ops::Targets targets() const {
    return {static_cast<float>(options_.loss.label_smoothing), row_weights_};
  }

  /// Adds the loss of mixup's other labels, and its gradient, with their weights.
  double mix_losses(const Batch& batch, double loss) {
    const float weight = batch.weight;
    weigh(batch.other_labels, {});
    other_gradient_.resize(gradient_.size());
    const double other =
        summed_loss(model_, outputs_, batch.other_labels, other_gradient_, targets());
    std::ranges::transform(gradient_, other_gradient_, gradient_.begin(),
                           [&](float a, float b) { return weight * a + (1 - weight) * b; });
    return weight * loss + (1 - weight) * other;
  }

  void report_step(double images) {
    progress_.step = state_.step;
    progress_.loss = state_.loss / images;
    progress_.accuracy = state_.right / images;
    progress_.seconds = state_.seconds;
    progress_.seconds_per_step = state_.seconds / state_.step;
    const int epochs_left = progress_.epochs - progress_.epoch;
    const double steps_left =
        double(progress_.steps) * epochs_left + progress_.steps - progress_.step;
    progress_.seconds_left =
        steps_left * progress_.seconds_per_step + (epochs_left + 1) * validation_seconds_;
    observer_.on_step(progress_);
  }

  void end_epoch() {
    averages_.swap();
    require_finite_weights();
    const auto images = static_cast<double>(images_);
    const Evaluation validation =
        validation_.size() > 0 ? evaluate(model_, validation_) : no_evaluation();
    validation_seconds_ = validation.seconds;
    const Epoch result{state_.loss / images, state_.right / images, validation.loss,
                       validation.accuracy, state_.seconds};
    state_.history.epochs.push_back(result);
    state_.history.images += static_cast<std::int64_t>(images_);
    const bool goes_on = stopper_.should_continue(state_.epoch, result);
    averages_.swap();
    tell(result);
    if (!validation.experts.empty()) observer_.on_expert_use(validation.experts);
    ++state_.epoch;
    state_.step = 0;
    state_.loss = state_.right = state_.seconds = 0;
    if (!goes_on || state_.epoch > options_.epochs) finish();
  }

  void finish() {
    History& history = state_.history;
    history.restored_epoch = stopper_.restore();
    if (history.restored_epoch == 0) averages_.swap();
    double training_seconds = 0;
    for (const Epoch& epoch : history.epochs) training_seconds += epoch.seconds;
    history.images_per_second = static_cast<double>(history.images) / training_seconds;
    state_.finished = true;
  }

  void tell(const Epoch& epoch) {
    progress_.seconds_per_step = epoch.seconds / progress_.steps;
    observer_.on_epoch(progress_, epoch);
  }

  void hand_out() {
    state_.history.seconds += timer_.lap();
    state_.history.cpu_seconds += cpu_timer_.lap();
    state_.stopping = stopper_.state();
    if (!observer_.wants(state_)) return;
    require_finite_weights();
    observer_.on_state(state_);
  }

  void require_finite_weights() const {
    for (const std::span<float> values : values_of(model_)) {
      if (!std::ranges::all_of(values, [](float w) { return std::isfinite(w); })) {
        fail_not_finite("weights are", state_.step);
      }
    }
  }

  [[noreturn]] void fail_not_finite(const char* what, int step) const {
    const std::string layer = model_.first_not_finite();
    throw user_error("train", "{} not finite in epoch {}, step {}, {}: lower train.learning_rate",
                     what, state_.epoch, step,
                     layer.empty() ? "where the mixture gives every class 0" : "first in " + layer);
  }

  CompiledModel& model_;
  const Examples& train_;
  const Examples& validation_;
  const FitOptions& options_;
  FitObserver& observer_;
  std::vector<CompiledModel::Trained> trained_;
  std::unique_ptr<Optimizer> optimizer_;
  Clipping clipping_;
  Averages averages_;
  BatchSequence::Options batches_;
  std::size_t images_;                ///< of an epoch
  std::vector<float> class_weights_;  ///< by label; empty if all are 1
  std::vector<float> row_weights_;    ///< of the batch; empty if all are 1
  EarlyStopper stopper_;
  FitState state_;
  Timer timer_;
  CpuTimer cpu_timer_;
  std::optional<BatchSequence> sequence_;
  std::optional<Prefetcher> prefetcher_;  ///< uses the sequence
  Batch batch_;                           ///< without a prefetcher
  std::span<const float> outputs_;        ///< outputs of the batch, in the model's memory
  std::vector<float> gradient_;
  std::vector<float> other_gradient_;  ///< of mixup's other labels
  double validation_seconds_ = 0;      ///< of the last epoch, to estimate the time left
  Progress progress_;
};

void require_options(const FitOptions& options) {
  const EarlyStopping& stopping = options.early_stopping;
  require(options.epochs >= 1, "epochs", options.epochs, "at least 1");
  require(options.batch_size >= 1, "batch_size", options.batch_size, "at least 1");
  require(options.epochs_before >= 0, "epochs_before", options.epochs_before, "0 or more");
  require(options.epochs_after >= 0, "epochs_after", options.epochs_after, "0 or more");
  require_optimizer(options.optimizer, all_epochs(options));
  require_loss(options.loss);
  require(stopping.monitor == "val_loss" || stopping.monitor == "val_accuracy" ||
              stopping.monitor == "loss" || stopping.monitor == "accuracy",
          "early_stopping.monitor", one_line(stopping.monitor),
          "val_loss, val_accuracy, loss or accuracy");
  require(stopping.min_delta >= 0, "early_stopping.min_delta", stopping.min_delta, "0 or more");
  require(stopping.patience >= 0, "early_stopping.patience", stopping.patience, "0 or more");
  require(stopping.start_from_epoch >= 0, "early_stopping.start_from_epoch",
          stopping.start_from_epoch, "0 or more");
}

}  // namespace

History fit(CompiledModel& model, const Examples& train, const Examples& validation,
            const FitOptions& options, FitObserver& observer) {
  if (train.size() == 0) throw user_error("train", "there are no images to train on");
  const bool needs_validation =
      options.early_stopping.enabled && options.early_stopping.monitor.starts_with("val_");
  if (validation.size() == 0 && needs_validation) {
    throw user_error("train", "there are no images to validate on, for early stopping: give some");
  }
  require_options(options);
  require_fit(model, train);
  if (validation.size() > 0) require_fit(model, validation);
  if (options.batch_size > model.max_batch()) {
    throw user_error("train", "batches of {} for a model compiled for {}: compile it for more",
                     options.batch_size, model.max_batch());
  }
  if (model.trained().empty()) {
    throw user_error("train", "the model was compiled for inference: use compile()");
  }
  if (train.has_weights() && options.augment.mixup > 0) {
    throw user_error("train", "mixup mixes images, and these have weights: leave out one of them");
  }
  const auto is_frozen = [](const CompiledModel::Trained& each) { return each.weights.empty(); };
  if (std::ranges::all_of(model.trained(), is_frozen)) {
    throw user_error("train", "all layers of the model are frozen: leave one to train");
  }
  return Fit(model, train, validation, options, observer).run();
}

}  // namespace sluice
