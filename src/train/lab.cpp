#include "sluice/lab.h"

namespace sluice {

namespace {

/// Numbers that keep the stages' random numbers apart; an expert's adds its group.
enum Stage : std::uint32_t { kBaseline = 1, kGate = 2, kMixture = 3, kExperts = 16 };

}  // namespace

Lab::Lab(const LabOptions& options, const Dataset& data, const Groups& groups)
    : options_(options), data_(data), groups_(groups) {}

TrainedModel Lab::train(const Sequential& model, const Examples& train_set,
                        const Examples& test_set, int epochs, std::uint32_t stage,
                        FitObserver& observer) const {
  TrainedModel trained{model, Weights(model), {}, {}};
  trained.weights.initialize(options_.seed, stage);
  const auto compiled = compile(model, trained.weights, compile_options());
  compiled->start_profile();
  trained.history = fit(*compiled, train_set, test_set, fit_options(epochs, stage), observer);
  trained.profile = compiled->profile();
  return trained;
}

CompileOptions Lab::compile_options() const {
  return {.batch = options_.batch_size, .compute = options_.compute};
}

FitOptions Lab::fit_options(int epochs, std::uint32_t stage) const {
  return {epochs, options_.batch_size, options_.adam, options_.seed, stage};
}

Mixture Lab::declare() const {
  return mixture(groups_, data_.train.shape, static_cast<int>(data_.class_names.size()),
                 options_.size);
}

TrainedModel Lab::train_baseline(FitObserver& observer) const {
  return train(declare().baseline, train_examples(), test_examples(), options_.epochs.baseline,
               kBaseline, observer);
}

TrainedModel Lab::train_expert(int group, FitObserver& observer) const {
  return train(declare().branches[group].expert, train_examples().of_group(groups_, group),
               test_examples().of_group(groups_, group), options_.epochs.experts,
               kExperts + static_cast<std::uint32_t>(group), observer);
}

TrainedModel Lab::train_gate(FitObserver& observer) const {
  return train(declare().gate, train_examples().labelled_by_group(groups_),
               test_examples().labelled_by_group(groups_), options_.epochs.gate, kGate, observer);
}

TrainedMixture Lab::train_mixture(const TrainedModel& baseline,
                                  const std::vector<TrainedModel>& experts,
                                  const TrainedModel& gate, FitObserver& observer) const {
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
  trained.history = fit(*compiled, train_examples(), test_examples(),
                        fit_options(options_.epochs.mixture, kMixture), observer);
  trained.profile = compiled->profile();
  return trained;
}

}  // namespace sluice
