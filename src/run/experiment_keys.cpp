#include "run/experiment_keys.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sluice {

namespace {

/// Words for Augmentation::Mirror, in its order.
constexpr const char* kMirrors[] = {"none", "random", "alternating"};

}  // namespace

Settings to_settings(const Experiment& experiment) {
  Settings settings{.experiment = experiment};
  settings.size = experiment.lab.size == CnnSize::large ? "large" : "small";
  settings.compute = to_string(experiment.lab.compute);
  settings.mirror = kMirrors[static_cast<std::size_t>(experiment.lab.augment.mirror)];
  return settings;
}

Experiment to_experiment(Settings settings) {
  LabOptions& lab = settings.experiment.lab;
  lab.size = settings.size == "large" ? CnnSize::large : CnnSize::small;
  for (const Compute each : {Compute::automatic, Compute::fast, Compute::exact}) {
    if (settings.compute == to_string(each)) lab.compute = each;
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

std::vector<Key> keys_of(Settings& settings) {
  constexpr int kMostImages = 10'000'000;
  constexpr int kMostEpochs = 100'000;
  constexpr int kMostBatch = 4096;
  constexpr int kMostPixels = 10'000;
  // Comparisons are false for NaN, and infinity is above each upper bound.
  const auto rate = [](double x) { return x > 0 && x <= 10; };
  const auto beta = [](double x) { return x >= 0 && x < 1; };
  const auto delta = [](double x) { return x >= 0 && x < 1e9; };
  const auto share = [](double x) { return x >= 0 && x <= 1; };
  const auto epsilon = [](double x) { return x > 0 && x <= 1; };

  DataOptions& data = settings.experiment.data;
  LabOptions& lab = settings.experiment.lab;
  AdamOptions& adam = lab.adam;
  LabOptions::Epochs& epochs = lab.epochs;
  EarlyStopping& stopping = lab.early_stopping;
  Augmentation& augment = lab.augment;
  return {
      {"name", Key::Name{&settings.experiment.name}},
      {"seed", Key::Seed{&lab.seed}},
      {"data.set", Key::Choice{&data.set, {"cifar-10", "folder"}}},
      {"data.train_images", Key::Count{&data.train_images, 0, kMostImages}},
      {"data.test_images", Key::Count{&data.test_images, 0, kMostImages}},
      {"data.skip_broken", Key::Flag{&data.skip_broken}},
      {"model.size", Key::Choice{&settings.size, {"small", "large"}}},
      {"train.compute", Key::Choice{&settings.compute, {"auto", "fast", "exact"}}},
      {"train.optimizer", Key::Choice{&settings.optimizer, {"adam"}}},
      {"train.learning_rate", Key::Real{&adam.learning_rate, rate, "above 0 and at most 10"}},
      {"train.beta_1", Key::Real{&adam.beta_1, beta, "at least 0 and below 1"}},
      {"train.beta_2", Key::Real{&adam.beta_2, beta, "at least 0 and below 1"}},
      {"train.epsilon", Key::Real{&adam.epsilon, epsilon, "above 0 and at most 1"}},
      {"train.batch_size", Key::Count{&lab.batch_size, 1, kMostBatch}},
      {"train.validation_split", Key::Real{&lab.validation_split, beta, "at least 0 and below 1"}},
      {"train.epochs.baseline", Key::Count{&epochs.baseline, 1, kMostEpochs}},
      {"train.epochs.experts", Key::Count{&epochs.experts, 1, kMostEpochs}},
      {"train.epochs.gate", Key::Count{&epochs.gate, 1, kMostEpochs}},
      {"train.epochs.mixture", Key::Count{&epochs.mixture, 1, kMostEpochs}},
      {"train.early_stopping.enabled", Key::Flag{&stopping.enabled}},
      {"train.early_stopping.monitor",
       Key::Choice{&stopping.monitor, {"val_loss", "val_accuracy", "loss", "accuracy"}}},
      {"train.early_stopping.min_delta", Key::Real{&stopping.min_delta, delta, "0 or more"}},
      {"train.early_stopping.patience", Key::Count{&stopping.patience, 0, kMostEpochs}},
      {"train.early_stopping.restore_best_weights", Key::Flag{&stopping.restore_best_weights}},
      {"train.early_stopping.start_from_epoch",
       Key::Count{&stopping.start_from_epoch, 0, kMostEpochs}},
      {"train.early_stopping.on_test_images", Key::Flag{&lab.stop_on_test_images}},
      {"train.augment.random_resized_crop",
       Key::Real{&augment.random_resized_crop, epsilon, "above 0 and at most 1"}},
      {"train.augment.shift", Key::Count{&augment.shift, 0, kMostPixels}},
      {"train.augment.mirror",
       Key::Choice{&settings.mirror, {std::begin(kMirrors), std::end(kMirrors)}}},
      {"train.augment.brightness", Key::Real{&augment.brightness, share, "between 0 and 1"}},
      {"train.augment.contrast", Key::Real{&augment.contrast, share, "between 0 and 1"}},
      {"train.augment.cutout", Key::Count{&augment.cutout, 0, kMostPixels}},
      {"train.augment.mixup", Key::Real{&augment.mixup, share, "between 0 and 1"}},
      {"controls.longer", Key::Flag{&lab.controls.longer}},
      {"controls.average", Key::Flag{&lab.controls.average}},
      {"controls.wider", Key::Flag{&lab.controls.wider}},
  };
}

}  // namespace sluice
