#pragma once

#include <cstdint>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/lab/models.h"
#include "sluice/trainer.h"

namespace [[gnu::visibility("default")]] sluice {

/// How a lab trains: what an experiment says, less the data and the groups.
struct LabOptions {
  struct Epochs {
    int baseline = 10;
    int experts = 10;
    int gate = 10;
    int mixture = 10;
  };

  /// Baselines that are given what the mixture is given, to tell what is its own merit.
  struct Controls {
    bool longer = false;   ///< as much training
    bool average = false;  ///< two networks that answer together
    bool wider = false;    ///< as many parameters for each image
  };

  CnnSize size = CnnSize::small;
  AdamOptions adam;
  int batch_size = 32;
  Epochs epochs;
  Controls controls;
  /// The last so many of the training images are kept for validation; 0 validates on the test
  /// images, as the lab does.
  double validation_split = 0;
  EarlyStopping early_stopping;
  bool stop_on_test_images = false;  ///< lets early stopping choose by them
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

/// The stages of the lab, each a fit(), which throws what fit() does. Data and groups must outlive
/// it.
class Lab {
 public:
  /// Throws Error (user) for a label that no class has, or a validation_split that leaves a group
  /// without images.
  Lab(const LabOptions& options, const Dataset& data, const Groups& groups);
  Lab(const LabOptions&, const Dataset&&, const Groups&) = delete;
  Lab(const LabOptions&, const Dataset&, const Groups&&) = delete;
  Lab(const LabOptions&, const Dataset&&, const Groups&&) = delete;

  /// All classes, all images.
  TrainedModel train_baseline(FitObserver& observer) const;
  /// One output per class of the data, trained on the images of its group alone. Throws
  /// Error (user) for a group that there is not.
  TrainedModel train_expert(int group, FitObserver& observer) const;
  /// Tells the groups apart.
  TrainedModel train_gate(FitObserver& observer) const;
  /// Copies the parts, adds importance models, and trains it all but the gate. The baseline that
  /// was handed in stays as it is, for an honest comparison. Throws Error (user) for parts that are
  /// not those of declare().
  TrainedMixture train_mixture(const TrainedModel& baseline,
                               const std::vector<TrainedModel>& experts, const TrainedModel& gate,
                               FitObserver& observer) const;

  /// The baseline, trained for that many epochs to their end. It begins as train_baseline() did,
  /// step for step.
  TrainedModel train_longer_baseline(int epochs, FitObserver& observer) const;
  /// From other first weights, to be averaged with the first.
  TrainedModel train_second_baseline(FitObserver& observer) const;
  /// Of the least width that has as many parameters as are active in the mixture.
  TrainedModel train_wider_baseline(FitObserver& observer) const;

  /// The mixture and its parts, as the stages will train them.
  Mixture declare() const;
  /// The network of train_wider_baseline().
  Sequential wider_baseline() const;

  Examples train_examples() const;
  Examples validation_examples() const;
  Examples test_examples() const { return {data_.test, data_.class_names}; }

 private:
  TrainedModel train_on_all(const Sequential& model, const FitOptions& options,
                            FitObserver& observer) const;
  TrainedModel train(const Sequential& model, const Examples& train_set,
                     const Examples& validation_set, const FitOptions& options,
                     FitObserver& observer) const;
  CompileOptions compile_options() const;
  FitOptions fit_options(int epochs, std::uint32_t stage) const;

  LabOptions options_;
  const Dataset& data_;
  const Groups& groups_;
};

}  // namespace sluice
