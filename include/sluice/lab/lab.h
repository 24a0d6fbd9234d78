#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/lab/models.h"
#include "sluice/trainer.h"

#pragma GCC visibility push(default)

namespace sluice {

/// A stage of the training of one network, before the one that LabOptions describes.
struct EarlierStage {
  std::string name;
  int epochs = 1;
  /// false: of the network without experts (dense_network(), sluice/lab/frontier.h). The experts of
  /// the next stage begin as clones of what stands in their place.
  bool experts = true;
  std::vector<std::string> freeze = {};  ///< in place of NetworkChoice::freeze
  double learning_rate = 0;              ///< 0: OptimizerOptions::learning_rate
  /// The next stage goes on with the optimizer's state, and the schedule is that of both. false: it
  /// has new ones.
  bool keep_optimizer = true;
};

/// With what a network begins, where names and shapes fit (Weights::take()).
struct Start {
  Weights weights;
  /// The optimizer's state by its name, "mean", at the places of the parameters.
  std::map<std::string, Weights> optimizer = {};
};

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
  std::shared_ptr<const Start> start = {};  ///< of all stages; shared, because options are copied
  std::vector<EarlierStage> before = {};    ///< of one network, see stages()
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
  earlier,
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
  // Epochs of the stages around it that share the optimizer's state, as in FitOptions.
  int epochs_before = 0;
  int epochs_after = 0;

  bool is_control() const { return !control.empty(); }
  /// Returns this stage with `wanted` epochs, which its title may mention.
  Stage of_epochs(int wanted) const;
};

/// Returns the stages of a lab in the order of training; without groups the earlier ones and the
/// baseline. This table is the only source of their names, titles, random numbers and epochs.
/// Throws Error (user) for controls without groups, earlier stages with them, and more than eight,
/// or two of one name, of these.
std::vector<Stage> stages(const LabOptions& options, const std::vector<Groups::Group>& groups);

/// Returns the options of a stage before the last one.
const EarlierStage& earlier_stage(const LabOptions& options, const Stage& stage);
/// Returns the network of a stage that is no mixture's.
NetworkChoice network_of(const LabOptions& options, const Stage& stage);

/// Returns the examples of `all` for a stage: for an expert those of its group, for the gate all of
/// them labelled by group, for other stages all.
Examples examples_of(const Stage& stage, const Examples& all, const Groups& groups);

struct TrainedModel {
  Sequential model;
  Weights weights;
  History history;
  std::vector<LayerProfile> profile;  ///< of the fit, including validation
  /// As Start::optimizer; empty unless the next stage goes on with it.
  std::map<std::string, Weights> optimizer = {};
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

  /// Trains the network of a stage; the mixture's stage needs train_mixture(). A stage goes on from
  /// another by LabOptions::start, which has what that one's TrainedModel has. `longer_baseline`
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
