#include "sluice/lab/lab.h"

#include <algorithm>

#include "base/fail.h"
#include "lab/handover.h"
#include "lab/images_for_choices.h"
#include "sluice/lab/verdict.h"

namespace sluice {

Lab::Lab(const LabOptions& options, const Dataset& data, const Groups& groups, Communicator* ranks)
    : options_(options), data_(data), groups_(groups), ranks_(ranks) {
  stages();  // refuses controls without groups
  const Examples train = train_examples();
  const Examples validation = validation_examples();
  if (options.validation_split > 0 && data.validation.size() > 0) {
    throw user_error("train",
                     "train.validation_split = {}, but {} has validation images of its own, or by "
                     "data.validation_split: leave out the key",
                     options.validation_split, data.name);
  }
  require_images_for_choices(options, data.validation.size() > 0, data.name);
  if (options.validation_split == 0) return;  // fit() or evaluate() reports missing images
  const auto require = [&](const std::string& whom, bool trains, bool validates) {
    if (trains && validates) return;
    throw user_error("train", "train.validation_split = {} leaves {} no image to {}",
                     options.validation_split, whom,
                     trains ? "validate on: make it larger" : "train on: make it smaller");
  };
  for (int g = 0; g < groups.count(); ++g) {
    require("group '" + groups.name(g) + "'", train.of_group(groups, g).size() > 0,
            validation.of_group(groups, g).size() > 0);
  }
  require("the network", train.size() > 0, validation.size() > 0);
}

Examples Lab::train_examples() const {
  return Examples(data_.train, data_.class_names).before_split(options_.validation_split);
}

Examples Lab::validation_examples() const {
  if (data_.validation.size() > 0) return {data_.validation, data_.class_names};
  if (options_.validation_split == 0) return test_examples();
  return Examples(data_.train, data_.class_names).after_split(options_.validation_split);
}

std::size_t Lab::images_of(const Stage& stage) const {
  return examples_of(stage, train_examples(), groups_).size();
}

Mixture Lab::declare() const {
  return mixture(groups_, data_.train.shape, static_cast<int>(data_.class_names.size()),
                 options_.network);
}

std::variant<Sequential, Mixture> Lab::model_of(const Stage& stage) const {
  const int classes = static_cast<int>(data_.class_names.size());
  if (groups_.count() == 0) {
    return network(stage.name, data_.train.shape, classes, network_of(options_, stage));
  }
  Mixture parts = declare();
  if (stage.kind == StageKind::mixture) return parts;
  if (stage.kind == StageKind::expert) groups_.require_group(stage.group);
  Sequential model = stage.kind == StageKind::expert ? parts.branches[stage.group].expert
                     : stage.kind == StageKind::gate ? parts.gate
                                                     : parts.baseline;
  if (stage.kind == StageKind::wider_baseline) {
    const std::int64_t wanted = cost_of(parts).active_parameters;
    for (int quarters = 5; count_parameters(model) < wanted; ++quarters) {
      NetworkChoice wider = options_.network;
      wider.width *= quarters / 4.0;
      model = network(stage.name, model.input, classes, wider);
    }
  }
  model.name = stage.name;
  return model;
}

Stage Lab::stage(StageKind kind, int group) const {
  const std::vector<Stage> all = stages();
  const auto found = std::ranges::find_if(
      all, [&](const Stage& one) { return one.kind == kind && one.group == group; });
  if (found != all.end()) return *found;
  throw user_error("train", "without groups there is only a baseline to train: declare groups");
}

CompileOptions Lab::compile_options() const {
  return {.batch = options_.batch_size,
          .compute = options_.compute,
          .shards = options_.shards,
          .ranks = ranks_};
}

FitOptions Lab::fit_options(const Stage& stage) const {
  FitOptions options{stage.epochs,  options_.batch_size, options_.optimizer,
                     options_.seed, stage.random,        options_.early_stopping,
                     options_.loss, options_.augment,    options_.drop_remainder};
  options.epochs_before = stage.epochs_before;
  options.epochs_after = stage.epochs_after;
  if (stage.kind == StageKind::longer_baseline) options.early_stopping.enabled = false;
  if (stage.kind != StageKind::earlier) return options;
  options.early_stopping.enabled = false;
  const double rate = earlier_stage(options_, stage).learning_rate;
  if (rate > 0) options.optimizer.learning_rate = rate;
  return options;
}

TrainedModel Lab::train(const Stage& stage, FitObserver& observer) const {
  if (stage.kind == StageKind::mixture) {
    throw user_error("train", "{} is made of trained parts: train it by train_mixture()",
                     stage.name);
  }
  const auto model = std::get<Sequential>(model_of(stage));
  TrainedModel trained{model, Weights(model), {}, {}};
  trained.weights.initialize(options_.seed, stage.random);
  const Examples train = examples_of(stage, train_examples(), groups_);
  whiten(model, train, trained.weights);
  const auto take_start = [&] {
    if (options_.start) trained.weights.take(options_.start->weights);
  };
  take_start();
  set_centroids(model, train, trained.weights);
  take_start();  // a layer that was trained before is not set to centroids again
  const auto compiled = compile(model, trained.weights, compile_options());
  compiled->start_profile();
  Handover handover(model, options_.start.get(), observer);
  trained.history = fit(*compiled, train, examples_of(stage, validation_examples(), groups_),
                        fit_options(stage), handover);
  trained.optimizer = handover.take();
  trained.profile = compiled->profile();
  const Examples validation = examples_of(stage, validation_examples(), groups_);
  set_thresholds(model, validation, trained.weights);
  calibrate(stage, trained);
  return trained;
}

void Lab::calibrate(const Stage& stage, TrainedModel& trained) const {
  if (!options_.calibrate) return;
  sluice::calibrate(trained.model, trained.weights,
                    examples_of(stage, validation_examples(), groups_));
}

TrainedModel Lab::train_baseline(FitObserver& observer) const {
  return train(stage(StageKind::baseline), observer);
}

TrainedModel Lab::train_expert(int group, FitObserver& observer) const {
  groups_.require_group(group);
  return train(stage(StageKind::expert, group), observer);
}

TrainedModel Lab::train_gate(FitObserver& observer) const {
  return train(stage(StageKind::gate), observer);
}

TrainedMixture Lab::train_mixture(const TrainedModel& baseline,
                                  const std::vector<TrainedModel>& experts,
                                  const TrainedModel& gate, FitObserver& observer) const {
  if (static_cast<int>(experts.size()) != groups_.count()) {
    throw user_error("train", "{} experts for {} groups: give one for each", experts.size(),
                     groups_.count());
  }
  const Stage own = stage(StageKind::mixture);
  const Mixture model = declare();
  TrainedMixture trained{model, MixtureWeights(model), {}, {}};
  trained.weights.baseline = baseline.weights;
  trained.weights.gate = gate.weights;
  for (int g = 0; g < groups_.count(); ++g) {
    trained.weights.experts[g] = experts[g].weights;
    trained.weights.importances[g].initialize(options_.seed,
                                              own.random << 16 | static_cast<std::uint32_t>(g));
  }
  const auto compiled = compile(model, trained.weights, compile_options());
  compiled->start_profile();
  trained.history =
      fit(*compiled, train_examples(), validation_examples(), fit_options(own), observer);
  trained.profile = compiled->profile();
  return trained;
}

}  // namespace sluice
