#include <cmath>

#include "base/fail.h"
#include "base/timer.h"
#include "data/batching.h"
#include "eval/judge.h"
#include "sluice/evaluation.h"
#include "sluice/trainer.h"
#include "train/adam.h"
#include "train/early_stopping.h"

namespace sluice {

namespace {

/// One fit: what its epochs share.
class Fit {
 public:
  Fit(CompiledModel& model, const Examples& train, const Examples& validation,
      const FitOptions& options, FitObserver& observer)
      : model_(model),
        train_(train),
        validation_(validation),
        options_(options),
        observer_(observer),
        adam_(options.adam, model.trained()),
        stopper_(options.early_stopping, model.trained()) {
    progress_.epochs = options.epochs;
    progress_.steps = static_cast<int>((train.size() + options.batch_size - 1) /
                                       static_cast<std::size_t>(options.batch_size));
  }

  History run() {
    History history;
    const Timer timer;
    const CpuTimer cpu_timer;
    double training_seconds = 0;
    bool go_on = true;
    for (int epoch = 1; epoch <= options_.epochs && go_on; ++epoch) {
      history.epochs.push_back(run_epoch(epoch));
      go_on = stopper_.go_on(epoch, history.epochs.back());
      training_seconds += history.epochs.back().seconds;
      observer_.on_epoch(progress_, history.epochs.back());
    }
    history.restored_epoch = stopper_.restore();
    history.seconds = timer.seconds();
    history.cpu_seconds = cpu_timer.seconds();
    history.images = static_cast<std::int64_t>(train_.size() * history.epochs.size());
    history.images_per_second = static_cast<double>(history.images) / training_seconds;
    return history;
  }

 private:
  Epoch run_epoch(int epoch) {
    const RandomStream shuffle(options_.seed, Purpose::shuffle, options_.stage,
                               static_cast<std::uint32_t>(epoch));
    const std::vector<std::uint32_t> order = permutation(train_.size(), shuffle);
    const auto batch_size = static_cast<std::size_t>(options_.batch_size);
    double loss = 0;
    double right = 0;
    progress_.epoch = epoch;
    progress_.step = 0;
    const Timer timer;
    for (std::size_t first = 0; first < order.size(); first += batch_size) {
      const std::size_t end = std::min(first + batch_size, order.size());
      fill_batch(train_, std::span(order).subspan(first, end - first), batch_);
      loss += train_batch();
      right += count_right(outputs_, batch_.labels);
      progress_.loss = loss / static_cast<double>(end);
      progress_.accuracy = right / static_cast<double>(end);
      report_step(timer.seconds());
    }
    Epoch result{progress_.loss, progress_.accuracy, 0, 0, timer.seconds()};
    const Evaluation validation = evaluate(model_, validation_);
    validation_seconds_ = validation.seconds;
    result.val_loss = validation.loss;
    result.val_accuracy = validation.accuracy;
    return result;
  }

  /// Returns the batch's summed loss.
  double train_batch() {
    const RandomKey key{options_.seed, options_.stage, 0, step_++};
    outputs_ = model_.forward(batch_.images, batch_.size(), key);
    gradient_.resize(outputs_.size());
    const double loss = summed_loss(model_, outputs_, batch_.labels, gradient_);
    if (!std::isfinite(loss)) {
      throw user_error("train",
                       "the loss is not finite in epoch {}, step {}: lower train.learning_rate",
                       progress_.epoch, progress_.step + 1);
    }
    model_.backward(gradient_, gradient_of(model_));
    adam_.step();
    return loss;
  }

  void report_step(double seconds) {
    ++progress_.step;
    progress_.seconds = seconds;
    progress_.seconds_per_step = seconds / progress_.step;
    const int epochs_left = progress_.epochs - progress_.epoch;
    const double steps_left =
        double(progress_.steps) * epochs_left + progress_.steps - progress_.step;
    progress_.seconds_left =
        steps_left * progress_.seconds_per_step + (epochs_left + 1) * validation_seconds_;
    observer_.on_step(progress_);
  }

  CompiledModel& model_;
  const Examples& train_;
  const Examples& validation_;
  const FitOptions& options_;
  FitObserver& observer_;
  Adam adam_;
  EarlyStopper stopper_;
  Batch batch_;
  std::span<const float> outputs_;  ///< of the batch, in the model's memory
  std::vector<float> gradient_;
  std::uint32_t step_ = 0;
  double validation_seconds_ = 0;  ///< the last epoch's, to tell the time left
  Progress progress_;
};

}  // namespace

History fit(CompiledModel& model, const Examples& train, const Examples& validation,
            const FitOptions& options, FitObserver& observer) {
  if (train.size() == 0) throw user_error("train", "there are no images to train on");
  require_output_for_each_class(model, train);
  if (options.batch_size > model.max_batch()) {
    throw user_error("train", "batches of {} for a model compiled for {}: compile it for more",
                     options.batch_size, model.max_batch());
  }
  return Fit(model, train, validation, options, observer).run();
}

}  // namespace sluice
