#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/evaluation.h"
#include "sluice/network.h"

#pragma GCC visibility push(default)

namespace sluice {

/// Course of the learning rate over a fit: a warm-up from `start_factor` to 1, then the rest. All
/// factors multiply OptimizerOptions::learning_rate. A length or place below 1 is a share of the
/// fit's steps; from 1 on it is a number of epochs.
struct Schedule {
  /// "constant". "linear", "cosine": from 1 to `end_factor` at the end of the fit (cosine:
  /// keras.optimizers.schedules.CosineDecay, whose alpha is end_factor). "one_cycle": both parts
  /// are half cosines, and the last step has `end_factor` (torch.optim.lr_scheduler.OneCycleLR,
  /// whose pct_start is warmup; momentum does not change). "steps": times `gamma` at each milestone
  /// (torch.optim.lr_scheduler.MultiStepLR).
  std::string name = "constant";
  double warmup = 0;  ///< length of the warm-up, which is linear except in one_cycle
  double start_factor = 0;
  double end_factor = 0;
  std::vector<double> milestones = {};
  double gamma = 0.1;
};

/// Zhang et al. 2019: after every `sync_period` steps the slow weights take a step towards the
/// weights, which continue from there. The slow ones keep the share `decay` * (step /
/// steps)^`decay_power` of themselves, as in airbench94.py of KellerJordan/cifar10-airbench. The
/// paper's form is decay 0.5 (1 - slow_step_size) and decay_power 0. State, such as running means,
/// takes part. The slow weights are what the epochs' validation and early stopping see, and replace
/// the weights at the end of the fit, unless use_ema does.
struct Lookahead {
  int sync_period = 0;          ///< 0 for no lookahead; 5 in the source
  double decay = 0.7737809375;  ///< 0.95^5, as in the source
  double decay_power = 3;
};

/// How gradients change parameters, with the names of keras.optimizers. The defaults are those of
/// Keras's Adam.
struct OptimizerOptions {
  /// "adam": Keras's "epsilon hat" form (Kingma and Ba 2014, section 2;
  /// keras/src/optimizers/adam.py). "adamw": the same; only its default of weight_decay in
  /// experiments differs. "sgd": keras/src/optimizers/sgd.py.
  std::string name = "adam";
  double learning_rate = 1e-3;
  /// adam, adamw: decoupled, as in Keras: a step also subtracts learning_rate * weight_decay * w.
  /// sgd: as in torch.optim.SGD: weight_decay * w is added to the gradient, so that momentum
  /// accumulates it. Keras's decoupled form decays 1 / (1 - momentum) times less.
  double weight_decay = 0;
  double momentum = 0;    ///< sgd
  bool nesterov = false;  ///< sgd
  double beta_1 = 0.9;    ///< adam, adamw, as the next two
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  /// Also decays biases, and scales and biases ("gamma", "beta") of normalisation, as Keras and
  /// PyTorch do unless these are excluded.
  bool decay_biases = false;
  /// Factor of the learning rate of normalisation's biases ("beta"). Their decay per step does not
  /// change: their weight_decay is divided by it.
  double norm_bias_learning_rate_factor = 1;
  /// Limits of the gradients before all else: of the norm of each tensor, of the norm of all, of
  /// each value. 0 for none; one of them at most.
  double clipnorm = 0;
  double global_clipnorm = 0;
  double clipvalue = 0;
  /// Moving average of the weights after each step, which keeps the share ema_momentum of itself.
  /// At the end of the fit it replaces the weights, as in Keras. Before, it is what the epochs'
  /// validation and early stopping see, as with keras.callbacks.SwapEMAWeights. State, such as
  /// running means, is averaged too, so that it fits the weights; Keras leaves it.
  bool use_ema = false;
  double ema_momentum = 0.99;
  Lookahead lookahead = {};
  Schedule schedule = {};
};

/// Weights of the examples in the loss, by their class. A batch's loss is the sum of the weighted
/// losses over its number of images, as in Keras.
struct ClassWeights {
  /// n / (k * n_c) for a class with n_c of all n images of k classes, as class_weight="balanced" in
  /// scikit-learn (sklearn/utils/class_weight.py). Classes without images do not count.
  bool balanced = false;
  std::map<std::string, double> of = {};  ///< by the class's name; 1 for others
};

/// Categorical cross-entropy of the training, with the names of Keras. It is the loss of an Epoch.
/// Its val_loss is without smoothing and weights, so that it compares between options; Keras
/// smooths it too.
struct LossOptions {
  /// Share of each target that all classes have in equal parts
  /// (keras.losses.CategoricalCrossentropy).
  double label_smoothing = 0;
  ClassWeights class_weight = {};
};

/// Stops a fit that no longer improves, as keras.callbacks.EarlyStopping, with its names and
/// defaults.
struct EarlyStopping {
  bool enabled = false;
  std::string monitor = "val_loss";  ///< or "val_accuracy", "loss", "accuracy"
  double min_delta = 0;              ///< a smaller change is no improvement
  int patience = 0;                  ///< number of epochs without improvement before the end
  bool restore_best_weights = false;
  int start_from_epoch = 0;  ///< number of first epochs that are ignored
};

struct FitOptions {
  int epochs = 10;
  int batch_size = 32;
  OptimizerOptions optimizer = {};
  std::uint64_t seed = 0;
  std::uint32_t stage = 0;  ///< separates the random numbers of stages that share a seed
  EarlyStopping early_stopping = {};
  LossOptions loss = {};
  Augmentation augment = {};
  bool drop_remainder =
      false;  ///< leaves out an epoch's last batch if it is partial, and not alone
  /// Epochs before and behind this fit of a training whose parts are fits of their own: the
  /// schedule is that of the whole, and the optimizer counts its steps from the first of them. Each
  /// part has averages of its own.
  int epochs_before = 0;
  int epochs_after = 0;
};

/// One row of a History. Training figures are means over the epoch's images, with dropout and while
/// the weights change; val_ figures are computed at the end of the epoch.
struct Epoch {
  double loss = 0;
  double accuracy = 0;
  double val_loss = 0;
  double val_accuracy = 0;
  double seconds = 0;  ///< training, without validation
};

struct History {
  std::vector<Epoch> epochs;
  int restored_epoch = 0;  ///< from 1: epoch whose weights were restored at the end, or 0
  double seconds = 0;      ///< training and validation
  /// Processor time of all threads, training and validation. Of a fit that is not on the program's
  /// first thread it is an estimate: the time of the fit's thread, times the number of threads.
  double cpu_seconds = 0;
  std::int64_t images = 0;       ///< images processed in training, counting repeats
  double images_per_second = 0;  ///< training, without validation

  /// Adds the cost of another fit; epochs and images_per_second do not change.
  void add_cost(const History& other) {
    seconds += other.seconds;
    cpu_seconds += other.cpu_seconds;
    images += other.images;
  }
};

/// Progress of a fit. Loss and accuracy are means over the epoch so far.
struct Progress {
  int epoch = 0;  ///< from 1
  int epochs = 0;
  int step = 0;  ///< from 1
  int steps = 0;
  double loss = 0;
  double accuracy = 0;
  double seconds = 0;           ///< since the start of the epoch
  double seconds_per_step = 0;  ///< mean over the epoch
  double seconds_left = 0;      ///< until the end of the fit
};

/// State of a fit: all that it needs to continue as if it had never stopped.
struct FitState {
  /// A block of memory of the fit or its model.
  struct Block {
    std::string name;
    std::span<float> values;
  };

  /// State of EarlyStopping.
  struct Stopping {
    double best = 0;     ///< best value of the monitored figure
    int best_epoch = 0;  ///< 0 before the first
    int wait = 0;        ///< epochs since the last improvement
  };

  bool finished = false;
  bool goes_on = false;  ///< whether FitOptions has epochs_after, which need the optimizer's state
  int epoch = 1;         ///< current epoch, from 1
  int step = 0;          ///< steps done in this epoch
  double loss = 0;       ///< summed over the epoch's images so far
  double right = 0;      ///< number of those that were classified correctly
  double seconds = 0;    ///< in the epoch so far
  History history;       ///< epochs before this one
  Stopping stopping;
  std::vector<Block> blocks;  ///< weights, the optimizer's state, state; weights and state of the
                              ///< best epoch; averages
};

/// Callbacks of a fit, called on its thread. An exception from any of them ends the fit.
class FitObserver {
 public:
  virtual ~FitObserver() = default;
  /// Called first. May overwrite the state with one of an earlier fit of the same model and
  /// options, and the values of its blocks in place. The fit then continues from that state, and
  /// calls on_epoch() again for each earlier epoch.
  virtual void on_begin(FitState&) {}
  virtual void on_step(const Progress&) {}
  virtual void on_epoch(const Progress&, const Epoch&) {}
  /// Called after on_epoch() for a model with layers of experts, with their use of the validation
  /// examples; not for the epochs of an earlier fit.
  virtual void on_expert_use(const std::vector<ExpertUse>&) {}
  /// Called after each step, after each epoch and at the end. If it returns true, on_state() is
  /// called.
  virtual bool wants(const FitState&) { return false; }
  /// Called if wants() returned true. The weights in the state are finite.
  virtual void on_state(const FitState&) {}
};

/// Gives kernels with Initializer::whitening their values by the first 5,000 examples
/// (KellerJordan/cifar10-airbench): the eigenvectors of the second moments of the patches that the
/// convolution takes, each divided by sqrt(eigenvalue + 5e-4), and their negatives. Does nothing
/// for a model without such a kernel. Throws Error (user) if there are no examples, or if they or
/// the weights do not fit the model.
void whiten(const Sequential& model, const Examples& examples, Weights& weights);

/// Gives layers with Initializer::centroids the values with which each unit's output is the negated
/// squared distance of the layer's input to the unit's centroid, but for a summand that all units
/// have alike, over the mean squared distance to the nearest centroid. The centroids are those of
/// k-means over what the layer is given for the first 5,000 examples, so that such a layer is a
/// gate that chooses the nearest centroid. Throws Error (user) as whiten().
void set_centroids(const Sequential& model, const Examples& examples, Weights& weights);

/// Gives each Cascade the thresholds at which each share of the examples goes on to its experts.
/// Choose them as for any choice: neither training images, of which a trained network is too sure,
/// nor test images. Does nothing for a model without a Cascade. Throws Error (user) as whiten().
void set_thresholds(const Sequential& model, const Examples& examples, Weights& weights);

/// Sets the temperature of the model's last softmax (Guo et al. 2017): puts a Rescaling before it,
/// "inverse_temperature", with the factor that gives the examples the least log loss. Predicted
/// classes stay, and so do the weights. Choose the examples as for set_thresholds(). Throws Error
/// (user) if the model does not end in a softmax, there are no examples, or they do not fit it.
void calibrate(Sequential& model, const Weights& weights, const Examples& examples);

/// Trains like Keras's fit(): a new permutation in every epoch, and a last batch that may be
/// partial, unless drop_remainder. Without images to validate on, val_ figures are NaN. Throws
/// Error (user), with step and layer, if the loss is not finite because the learning rate is too
/// high. Throws Error (user) before the first step for options out of range (epochs at least 1;
/// batch_size at least 1 and at most the batch size of the compiled model; patience and
/// start_from_epoch at least 0; the optimizer's options as in experiments, except that
/// learning_rate may be larger; a warm-up shorter than the fit; a known monitor), a model compiled
/// for inference, no images to train on, none to validate on for a monitor that needs them,
/// examples that do not fit the model's input and classes, and mixup of images with weights. The
/// same options, data and number of threads give the same weights, bit for bit, even if the fit was
/// stopped and resumed from a state.
History fit(CompiledModel& model, const Examples& train, const Examples& validation,
            const FitOptions& options, FitObserver& observer);

}  // namespace sluice

#pragma GCC visibility pop
