#include "base/fail.h"
#include "sluice/lab/lab.h"
#include "sluice/lab/verdict.h"

namespace sluice {

namespace {

/// Numbers that keep the stages' random numbers apart; an expert's adds its group.
enum Stage : std::uint32_t {
  kBaseline = 1,
  kGate = 2,
  kMixture = 3,
  kSecondBaseline = 4,
  kWiderBaseline = 5,
  kExperts = 16,
};

Sequential renamed(Sequential model, const std::string& name) {
  model.name = name;
  return model;
}

}  // namespace

Lab::Lab(const LabOptions& options, const Dataset& data, const Groups& groups)
    : options_(options), data_(data), groups_(groups) {
  for (int g = 0; g < groups.count(); ++g) {
    const bool trains = train_examples().of_group(groups, g).size() > 0;
    if (trains && validation_examples().of_group(groups, g).size() > 0) continue;
    if (options.validation_split == 0) continue;  // told by fit() or evaluate()
    throw user_error("train", "train.validation_split = {} leaves group '{}' no image to {}",
                     options.validation_split, groups.name(g),
                     trains ? "validate on: make it larger" : "train on: make it smaller");
  }
}

Examples Lab::train_examples() const {
  return Examples(data_.train, data_.class_names).before_split(options_.validation_split);
}

Examples Lab::validation_examples() const {
  if (options_.validation_split == 0) return test_examples();
  return Examples(data_.train, data_.class_names).after_split(options_.validation_split);
}

TrainedModel Lab::train(const Sequential& model, const Examples& train_set,
                        const Examples& validation_set, const FitOptions& options,
                        FitObserver& observer) const {
  TrainedModel trained{model, Weights(model), {}, {}};
  trained.weights.initialize(options.seed, options.stage);
  const auto compiled = compile(model, trained.weights, compile_options());
  compiled->start_profile();
  trained.history = fit(*compiled, train_set, validation_set, options, observer);
  trained.profile = compiled->profile();
  return trained;
}

TrainedModel Lab::train_on_all(const Sequential& model, const FitOptions& options,
                               FitObserver& observer) const {
  return train(model, train_examples(), validation_examples(), options, observer);
}

CompileOptions Lab::compile_options() const {
  return {.batch = options_.batch_size, .compute = options_.compute};
}

FitOptions Lab::fit_options(int epochs, std::uint32_t stage) const {
  return {epochs, options_.batch_size,    options_.adam, options_.seed,
          stage,  options_.early_stopping};
}

Mixture Lab::declare() const {
  return mixture(groups_, data_.train.shape, static_cast<int>(data_.class_names.size()),
                 options_.size);
}

TrainedModel Lab::train_baseline(FitObserver& observer) const {
  return train_on_all(declare().baseline, fit_options(options_.epochs.baseline, kBaseline),
                      observer);
}

TrainedModel Lab::train_expert(int group, FitObserver& observer) const {
  groups_.require_group(group);
  return train(
      declare().branches[static_cast<std::size_t>(group)].expert,
      train_examples().of_group(groups_, group), validation_examples().of_group(groups_, group),
      fit_options(options_.epochs.experts, kExperts + static_cast<std::uint32_t>(group)), observer);
}

TrainedModel Lab::train_gate(FitObserver& observer) const {
  return train(declare().gate, train_examples().labelled_by_group(groups_),
               validation_examples().labelled_by_group(groups_),
               fit_options(options_.epochs.gate, kGate), observer);
}

TrainedMixture Lab::train_mixture(const TrainedModel& baseline,
                                  const std::vector<TrainedModel>& experts,
                                  const TrainedModel& gate, FitObserver& observer) const {
  if (static_cast<int>(experts.size()) != groups_.count()) {
    throw user_error("train", "{} experts for {} groups: give one for each", experts.size(),
                     groups_.count());
  }
  const Mixture model = declare();
  TrainedMixture trained{model, MixtureWeights(model), {}, {}};
  trained.weights.baseline = baseline.weights;
  trained.weights.gate = gate.weights;
  for (int g = 0; g < groups_.count(); ++g) {
    trained.weights.experts[g] = experts[g].weights;
    trained.weights.importances[g].initialize(options_.seed,
                                              kMixture << 16 | static_cast<std::uint32_t>(g));
  }
  const auto compiled = compile(model, trained.weights, compile_options());
  compiled->start_profile();
  trained.history = fit(*compiled, train_examples(), validation_examples(),
                        fit_options(options_.epochs.mixture, kMixture), observer);
  trained.profile = compiled->profile();
  return trained;
}

TrainedModel Lab::train_longer_baseline(int epochs, FitObserver& observer) const {
  FitOptions options = fit_options(epochs, kBaseline);
  options.early_stopping.enabled = false;
  return train_on_all(renamed(declare().baseline, "control-longer"), options, observer);
}

TrainedModel Lab::train_second_baseline(FitObserver& observer) const {
  return train_on_all(renamed(declare().baseline, "control-second"),
                      fit_options(options_.epochs.baseline, kSecondBaseline), observer);
}

Sequential Lab::wider_baseline() const {
  const Mixture model = declare();
  const std::int64_t wanted = cost_of(model).active_parameters;
  const int classes = static_cast<int>(data_.class_names.size());
  Sequential wider = renamed(model.baseline, "control-wider");
  for (int quarters = 5; count_parameters(wider) < wanted; ++quarters) {
    wider = cnn("control-wider", model.baseline.input, classes, options_.size, quarters / 4.0);
  }
  return wider;
}

TrainedModel Lab::train_wider_baseline(FitObserver& observer) const {
  return train_on_all(wider_baseline(), fit_options(options_.epochs.baseline, kWiderBaseline),
                      observer);
}

}  // namespace sluice
