#pragma once

#include <cstdint>
#include <string>
#include <variant>
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

/// What a stage trains; the last three are controls.
enum class StageKind {
  baseline,
  expert,
  gate,
  mixture,
  longer_baseline,
  second_baseline,
  wider_baseline,
};

/// A stage of a lab: one fit() of one model.
struct Stage {
  StageKind kind;
  int group = -1;            ///< an expert's
  std::string name;          ///< its model's, and so that of the model's folder: "expert-natural"
  std::string title;         ///< what is trained: "its own classes"
  std::uint32_t random = 0;  ///< RandomKey::stage, which keeps random numbers of stages apart
  int epochs = 0;            ///< 0 for longer_baseline, until of_epochs() tells
  // A control in results.json and in the verdict; empty for other stages.
  std::string control{};        ///< its name: "average"
  std::string control_words{};  ///< "an average of two baselines"

  bool is_control() const { return !control.empty(); }
  /// The same stage of so many epochs, which its title may tell.
  Stage of_epochs(int wanted) const;
};

/// The stages of a lab, in the order in which they are trained. This is the one table of their
/// names, titles, random numbers and epochs: everything else derives these from it.
std::vector<Stage> stages(const LabOptions& options, const std::vector<Groups::Group>& groups);

/// The examples of `all` that a stage is about, labelled as it learns them: an expert's of its own
/// group, the gate's labelled by group, and all of them for other stages.
Examples examples_of(const Stage& stage, const Examples& all, const Groups& groups);

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

  std::vector<Stage> stages() const { return sluice::stages(options_, groups_.declared()); }

  /// Trains the network of any stage but the mixture's. `longer_baseline` begins as the baseline
  /// did, step for step, and is not stopped early; `second_baseline` begins with other weights.
  TrainedModel train(const Stage& stage, FitObserver& observer) const;

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

  /// The mixture and its parts, as the stages will train them.
  Mixture declare() const;
  /// What a stage will train, by its name. `wider_baseline` has the least width at which it has as
  /// many parameters as are active in the mixture.
  std::variant<Sequential, Mixture> model_of(const Stage& stage) const;

  Examples train_examples() const;
  Examples validation_examples() const;
  Examples test_examples() const { return {data_.test, data_.class_names}; }

 private:
  Stage stage(StageKind kind, int group = -1) const;
  FitOptions fit_options(const Stage& stage) const;
  CompileOptions compile_options() const;

  LabOptions options_;
  const Dataset& data_;
  const Groups& groups_;
};

}  // namespace sluice
