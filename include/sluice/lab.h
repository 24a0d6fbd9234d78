#pragma once

#include <cstdint>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/model.h"
#include "sluice/trainer.h"

namespace sluice {

/// How a lab trains: what an experiment says, less the data and the groups.
struct LabOptions {
  struct Epochs {
    int baseline = 10;
    int experts = 10;
    int gate = 10;
    int mixture = 10;
  };

  CnnSize size = CnnSize::small;
  AdamOptions adam;
  int batch_size = 32;
  Epochs epochs;
  Compute compute = Compute::automatic;
  std::uint64_t seed = 0;
};

struct TrainedModel {
  Sequential model;
  Weights weights;
  History history;
  std::vector<LayerProfile> profile;  ///< of the fit, validation included
};

struct TrainedMixture {
  Mixture model;
  MixtureWeights weights;
  History history;
  std::vector<LayerProfile> profile;
};

/// The stages of the lab, each a fit() with the test images as validation data, as the lab does.
/// Data and groups must outlive it.
class Lab {
 public:
  Lab(const LabOptions& options, const Dataset& data, const Groups& groups);

  /// All classes, all images.
  TrainedModel train_baseline(FitObserver& observer) const;
  /// One output per class of the data, trained on the images of its group alone.
  TrainedModel train_expert(int group, FitObserver& observer) const;
  /// Tells the groups apart.
  TrainedModel train_gate(FitObserver& observer) const;
  /// Copies the parts, adds importance models, and trains it all but the gate. The baseline that
  /// was handed in stays as it is, for an honest comparison.
  TrainedMixture train_mixture(const TrainedModel& baseline,
                               const std::vector<TrainedModel>& experts, const TrainedModel& gate,
                               FitObserver& observer) const;

  /// The mixture and its parts, as the stages will train them.
  Mixture declare() const;

  Examples train_examples() const { return {data_.train, data_.class_names}; }
  Examples test_examples() const { return {data_.test, data_.class_names}; }

 private:
  TrainedModel train(const Sequential& model, const Examples& train_set, const Examples& test_set,
                     int epochs, std::uint32_t stage, FitObserver& observer) const;
  CompileOptions compile_options() const;
  FitOptions fit_options(int epochs, std::uint32_t stage) const;

  LabOptions options_;
  const Dataset& data_;
  const Groups& groups_;
};

}  // namespace sluice
