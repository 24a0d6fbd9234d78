#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/lab/models.h"
#include "sluice/trainer.h"

#pragma GCC visibility push(default)

namespace sluice {

/// Options of a lab's training: an experiment without its data and groups.
struct LabOptions {
  struct Epochs {
    int baseline = 10;
    int experts = 10;
    int gate = 10;
    int mixture = 10;
  };

  /// Baselines of equal cost, to separate the mixture's gain from that of more computation.
  struct Controls {
    bool longer = false;   ///< as much computation in training
    bool average = false;  ///< average of two networks
    bool wider = false;    ///< as many active parameters per image

    bool any() const { return longer || average || wider; }
  };

  NetworkChoice network;
  /// Weights with which the networks begin where names and shapes fit, see Weights::take(). Shared,
  /// because options are copied.
  std::shared_ptr<const Weights> start = {};
  OptimizerOptions optimizer;
  LossOptions loss;
  int batch_size = 32;
  bool drop_remainder = false;  ///< FitOptions::drop_remainder
  int shards = 1;               ///< CompileOptions::shards, of all stages
  Epochs epochs;
  Controls controls;
  /// Share of the training images, the last ones, for validation, as Keras's. With 0, the data's
  /// own validation images validate, or if there are none, the test images, as in the lab.
  double validation_split = 0;
  EarlyStopping early_stopping;
  bool calibrate = false;            ///< sluice::calibrate() with the validation images
  Augmentation augment;              ///< of the training images of every stage
  bool stop_on_test_images = false;  ///< allows early stopping to use test images
  Compute compute = Compute::automatic;
  std::uint64_t seed = 0;
};

/// Kinds of stages; the last three are controls.
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
  int group = -1;            ///< an expert's, else -1
  std::string name;          ///< of its model and the model's folder: "expert-natural"
  std::string title;         ///< for headings: "its own classes"
  std::uint32_t random = 0;  ///< RandomKey::stage, which separates the random numbers of stages
  int epochs = 0;            ///< 0 for longer_baseline before of_epochs()
  // Texts of a control in results.json and in the verdict; empty for other stages.
  std::string control{};        ///< name: "average"
  std::string control_words{};  ///< "an average of two baselines"

  bool is_control() const { return !control.empty(); }
  /// Returns this stage with `wanted` epochs, which its title may mention.
  Stage of_epochs(int wanted) const;
};

/// Returns the stages of a lab in the order of training; without groups the baseline alone. This
/// table is the only source of their names, titles, random numbers and epochs. Throws Error (user)
/// for controls without groups.
std::vector<Stage> stages(const LabOptions& options, const std::vector<Groups::Group>& groups);

/// Returns the examples of `all` for a stage: for an expert those of its group, for the gate all of
/// them labelled by group, for other stages all.
Examples examples_of(const Stage& stage, const Examples& all, const Groups& groups);

struct TrainedModel {
  Sequential model;
  Weights weights;
  History history;
  std::vector<LayerProfile> profile;  ///< of the fit, including validation
};

struct TrainedMixture {
  Mixture model;
  MixtureWeights weights;
  History history;
  std::vector<LayerProfile> profile;
};

/// Trains the stages of a lab. Each stage is a fit(), whose exceptions pass through. Data and
/// groups must outlive this object.
class Lab {
 public:
  /// Throws Error (user) for a label without a class, a validation_split that leaves a group
  /// without images, and controls without groups.
  /// `ranks` divide the shards among them, see CompileOptions; not owned.
  Lab(const LabOptions& options, const Dataset& data, const Groups& groups,
      Communicator* ranks = nullptr);
  Lab(const LabOptions&, const Dataset&&, const Groups&, Communicator* = nullptr) = delete;
  Lab(const LabOptions&, const Dataset&, const Groups&&, Communicator* = nullptr) = delete;
  Lab(const LabOptions&, const Dataset&&, const Groups&&, Communicator* = nullptr) = delete;

  std::vector<Stage> stages() const { return sluice::stages(options_, groups_.declared()); }

  /// Trains the network of a stage; the mixture's stage needs train_mixture(). `longer_baseline`
  /// repeats the baseline's steps (with a constant schedule), continues after them and is not
  /// stopped early; `second_baseline` has other initial weights. Throws Error (user) for the
  /// mixture's stage.
  TrainedModel train(const Stage& stage, FitObserver& observer) const;

  /// What train() does last, for a network that was trained elsewhere: sets its temperature, if
  /// LabOptions::calibrate wants it.
  void calibrate(const Stage& stage, TrainedModel& trained) const;

  /// Trains the baseline: all classes, all images.
  TrainedModel train_baseline(FitObserver& observer) const;
  /// Trains the expert of a group on the images of that group only. It has an output for each class
  /// of the data. Throws Error (user) for a group that does not exist.
  TrainedModel train_expert(int group, FitObserver& observer) const;
  /// Trains the gate, which predicts the group of an image.
  TrainedModel train_gate(FitObserver& observer) const;
  /// Copies the parts, adds importance models, and trains all of them except the gate. `baseline`
  /// does not change and remains the frozen baseline of the comparison. Throws Error (user) for
  /// parts that do not fit declare().
  TrainedMixture train_mixture(const TrainedModel& baseline,
                               const std::vector<TrainedModel>& experts, const TrainedModel& gate,
                               FitObserver& observer) const;

  /// Returns the mixture and its parts, which the stages train. Throws Error (user) without groups.
  Mixture declare() const;
  /// Returns the model that a stage trains, with the stage's name. `wider_baseline` has the
  /// smallest width with at least as many parameters as the mixture has active.
  std::variant<Sequential, Mixture> model_of(const Stage& stage) const;

  /// Number of training images of a stage.
  std::size_t images_of(const Stage& stage) const;

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
  Communicator* ranks_;
};

}  // namespace sluice

#pragma GCC visibility pop
