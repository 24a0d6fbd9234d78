#include "run/experiment_keys.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "eval/views.h"

namespace sluice {

namespace {

/// Words for Augmentation::Mirror, in its order.
constexpr const char* kMirrors[] = {"none", "random", "alternating"};

constexpr int kMostEpochs = 100'000;
constexpr double kMostRate = 10;
constexpr const char* kLayersLike = "[\"conv1\", \"block1*\"]";

}  // namespace

Settings to_settings(const Experiment& experiment) {
  Settings settings{.experiment = experiment};
  settings.size = experiment.lab.network.size == CnnSize::large ? "large" : "small";
  settings.resize = to_string(experiment.data.resize);
  settings.views = to_string(experiment.views);
  settings.compute = to_string(experiment.lab.compute);
  settings.mirror = kMirrors[static_cast<std::size_t>(experiment.lab.augment.mirror)];
  return settings;
}

Experiment to_experiment(Settings settings) {
  LabOptions& lab = settings.experiment.lab;
  lab.network.size = settings.size == "large" ? CnnSize::large : CnnSize::small;
  for (const Resize each : {Resize::stretch, Resize::crop, Resize::pad}) {
    if (settings.resize == to_string(each)) settings.experiment.data.resize = each;
  }
  for (const Compute each : {Compute::automatic, Compute::fast, Compute::exact}) {
    if (settings.compute == to_string(each)) lab.compute = each;
  }
  for (const Views each : kAllViews) {
    if (settings.views == to_string(each)) settings.experiment.views = each;
  }
  const auto mirror = std::ranges::find(kMirrors, settings.mirror) - std::begin(kMirrors);
  lab.augment.mirror = static_cast<Augmentation::Mirror>(mirror);
  return std::move(settings.experiment);
}

std::string Key::table() const {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

std::string Key::name() const {
  return path.substr(path.rfind('.') + 1);
}

std::vector<Key> keys_of(EarlierStage& stage) {
  const auto rate = [](double x) { return x >= 0 && x <= kMostRate; };
  return {
      {"train.before.name", Key::Name{&stage.name}},
      {"train.before.epochs", Key::Count{&stage.epochs, 1, kMostEpochs}},
      {"train.before.experts", Key::Flag{&stage.experts}},
      {"train.before.freeze", Key::Words{&stage.freeze, kLayersLike}},
      {"train.before.learning_rate", Key::Real{&stage.learning_rate, rate, "at most 10, or 0"}},
      {"train.before.keep_optimizer", Key::Flag{&stage.keep_optimizer}},
  };
}

std::vector<Key> keys_of(Settings& settings) {
  constexpr int kMostImages = 10'000'000;
  constexpr int kMostBatch = 4096;
  constexpr int kMostPixels = 10'000;
  // Comparisons are false for NaN, and infinity is above each upper bound.
  const auto rate = [](double x) { return x > 0 && x <= kMostRate; };
  const auto beta = [](double x) { return x >= 0 && x < 1; };
  const auto width = [](double x) { return x > 0 && x <= 128; };
  const auto limit = [](double x) { return x >= 0 && x < 1e9; };
  const auto factor = [](double x) { return x >= 0 && x <= 1; };
  const auto above_0 = [](double x) { return x > 0 && x <= 1; };
  const auto times = [](double x) { return x > 0 && x <= 1000; };
  const auto length = [](double x) { return x >= 0 && x <= kMostEpochs; };
  const auto place = [](double x) { return x > 0 && x <= kMostEpochs; };

  std::vector<std::string> networks = network_names();
  networks.emplace_back("layers");
  DataOptions& data = settings.experiment.data;
  LabOptions& lab = settings.experiment.lab;
  OptimizerOptions& optimizer = lab.optimizer;
  Schedule& schedule = optimizer.schedule;
  Lookahead& lookahead = optimizer.lookahead;
  LabOptions::Epochs& epochs = lab.epochs;
  EarlyStopping& stopping = lab.early_stopping;
  Augmentation& augment = lab.augment;
  FrontierOptions& frontier = settings.experiment.frontier;
  return {
      {"name", Key::Name{&settings.experiment.name}},
      {"seed", Key::Seed{&lab.seed}},
      {"data.set",
       Key::Choice{&data.set,
                   {"cifar-10", "cifar-100", "mnist", "fashion-mnist", "folder", "csv"}}},
      {"data.train_images", Key::Count{&data.train_images, 0, kMostImages}},
      {"data.test_images", Key::Count{&data.test_images, 0, kMostImages}},
      {"data.test_split", Key::Real{&data.test_split, above_0, "above 0 and at most 1"}},
      {"data.validation_split", Key::Real{&data.validation_split, beta, "at least 0 and below 1"}},
      {"data.skip_broken", Key::Flag{&data.skip_broken}},
      {"data.exif_orientation", Key::Flag{&data.exif_orientation}},
      {"data.image_size", Key::Size{&data.height, &data.width}},
      {"data.resize", Key::Choice{&settings.resize, {"stretch", "crop", "pad"}}},
      {"data.channels", Key::Channels{&data.channels}},
      {"model.network", Key::Choice{&lab.network.name, networks}},
      {"model.width", Key::Real{&lab.network.width, width, "above 0 and at most 128"}},
      {"model.size", Key::Choice{&settings.size, {"small", "large"}}},
      {"model.weights", Key::Place{&settings.experiment.weights}},
      {"model.freeze", Key::Words{&lab.network.freeze, kLayersLike}},
      {"train.compute", Key::Choice{&settings.compute, {"auto", "fast", "exact"}}},
      {"train.optimizer", Key::Choice{&optimizer.name, {"adam", "adamw", "sgd"}}},
      {"train.learning_rate", Key::Real{&optimizer.learning_rate, rate, "above 0 and at most 10"}},
      {"train.weight_decay", Key::Real{&optimizer.weight_decay, factor, "between 0 and 1"}},
      {"train.momentum", Key::Real{&optimizer.momentum, beta, "at least 0 and below 1"}},
      {"train.nesterov", Key::Flag{&optimizer.nesterov}},
      {"train.beta_1", Key::Real{&optimizer.beta_1, beta, "at least 0 and below 1"}},
      {"train.beta_2", Key::Real{&optimizer.beta_2, beta, "at least 0 and below 1"}},
      {"train.epsilon", Key::Real{&optimizer.epsilon, above_0, "above 0 and at most 1"}},
      {"train.decay_biases", Key::Flag{&optimizer.decay_biases}},
      {"train.norm_bias_learning_rate_factor",
       Key::Real{&optimizer.norm_bias_learning_rate_factor, times, "above 0 and at most 1000"}},
      {"train.clipnorm", Key::Real{&optimizer.clipnorm, limit, "0 or more"}},
      {"train.global_clipnorm", Key::Real{&optimizer.global_clipnorm, limit, "0 or more"}},
      {"train.clipvalue", Key::Real{&optimizer.clipvalue, limit, "0 or more"}},
      {"train.use_ema", Key::Flag{&optimizer.use_ema}},
      {"train.ema_momentum", Key::Real{&optimizer.ema_momentum, factor, "between 0 and 1"}},
      {"train.label_smoothing",
       Key::Real{&lab.loss.label_smoothing, beta, "at least 0 and below 1"}},
      {"train.class_weight", Key::Weights{&lab.loss.class_weight}},
      {"train.batch_size", Key::Count{&lab.batch_size, 1, kMostBatch}},
      {"train.drop_remainder", Key::Flag{&lab.drop_remainder}},
      {"train.shards", Key::Count{&lab.shards, 1, kMostBatch}},
      {"train.validation_split", Key::Real{&lab.validation_split, beta, "at least 0 and below 1"}},
      {"train.calibrate", Key::Flag{&lab.calibrate}},
      {"train.epochs.baseline", Key::Count{&epochs.baseline, 1, kMostEpochs}},
      {"train.epochs.experts", Key::Count{&epochs.experts, 1, kMostEpochs}},
      {"train.epochs.gate", Key::Count{&epochs.gate, 1, kMostEpochs}},
      {"train.epochs.mixture", Key::Count{&epochs.mixture, 1, kMostEpochs}},
      {"train.schedule.name",
       Key::Choice{&schedule.name, {"constant", "linear", "cosine", "one_cycle", "steps"}}},
      {"train.schedule.warmup", Key::Real{&schedule.warmup, length, "between 0 and 100000"}},
      {"train.schedule.start_factor", Key::Real{&schedule.start_factor, factor, "between 0 and 1"}},
      {"train.schedule.end_factor", Key::Real{&schedule.end_factor, factor, "between 0 and 1"}},
      {"train.schedule.milestones",
       Key::Reals{&schedule.milestones, place, "above 0 and at most 100000"}},
      {"train.schedule.gamma", Key::Real{&schedule.gamma, above_0, "above 0 and at most 1"}},
      {"train.lookahead.sync_period", Key::Count{&lookahead.sync_period, 0, kMostEpochs}},
      {"train.lookahead.decay", Key::Real{&lookahead.decay, factor, "between 0 and 1"}},
      {"train.lookahead.decay_power",
       Key::Real{&lookahead.decay_power, length, "between 0 and 100000"}},
      {"train.early_stopping.enabled", Key::Flag{&stopping.enabled}},
      {"train.early_stopping.monitor",
       Key::Choice{&stopping.monitor, {"val_loss", "val_accuracy", "loss", "accuracy"}}},
      {"train.early_stopping.min_delta", Key::Real{&stopping.min_delta, limit, "0 or more"}},
      {"train.early_stopping.patience", Key::Count{&stopping.patience, 0, kMostEpochs}},
      {"train.early_stopping.restore_best_weights", Key::Flag{&stopping.restore_best_weights}},
      {"train.early_stopping.start_from_epoch",
       Key::Count{&stopping.start_from_epoch, 0, kMostEpochs}},
      {"train.early_stopping.on_test_images", Key::Flag{&lab.stop_on_test_images}},
      {"train.augment.random_resized_crop",
       Key::Real{&augment.random_resized_crop, above_0, "above 0 and at most 1"}},
      {"train.augment.shift", Key::Count{&augment.shift, 0, kMostPixels}},
      {"train.augment.mirror",
       Key::Choice{&settings.mirror, {std::begin(kMirrors), std::end(kMirrors)}}},
      {"train.augment.brightness", Key::Real{&augment.brightness, factor, "between 0 and 1"}},
      {"train.augment.contrast", Key::Real{&augment.contrast, factor, "between 0 and 1"}},
      {"train.augment.cutout", Key::Count{&augment.cutout, 0, kMostPixels}},
      {"train.augment.mixup", Key::Real{&augment.mixup, factor, "between 0 and 1"}},
      {"evaluate.views", Key::Choice{&settings.views, {"one", "mirror", "mirror+shift"}}},
      {"frontier.seeds", Key::Count{&frontier.seeds, 1, 1000}},
      {"frontier.widths", Key::Reals{&frontier.widths, width, "above 0 and at most 128"}},
      {"frontier.work", Key::Reals{&frontier.work, times, "above 0 and at most 1000"}},
      {"controls.longer", Key::Flag{&lab.controls.longer}},
      {"controls.average", Key::Flag{&lab.controls.average}},
      {"controls.wider", Key::Flag{&lab.controls.wider}},
  };
}

}  // namespace sluice
