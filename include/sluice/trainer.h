#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/network.h"

#pragma GCC visibility push(default)

namespace sluice {

/// Adam in Keras's "epsilon hat" form (Kingma and Ba 2014, section 2;
/// keras/src/optimizers/adam.py).
struct AdamOptions {
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
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
  AdamOptions adam;
  std::uint64_t seed = 0;
  std::uint32_t stage = 0;  ///< separates the random numbers of stages that share a seed
  EarlyStopping early_stopping = {};
  Augmentation augment = {};
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
  int restored_epoch = 0;        ///< from 1: epoch whose weights were restored at the end, or 0
  double seconds = 0;            ///< training and validation
  double cpu_seconds = 0;        ///< processor time of all threads, training and validation
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
  int epoch = 1;       ///< current epoch, from 1
  int step = 0;        ///< steps done in this epoch
  double loss = 0;     ///< summed over the epoch's images so far
  double right = 0;    ///< number of those that were classified correctly
  double seconds = 0;  ///< in the epoch so far
  History history;     ///< epochs before this one
  Stopping stopping;
  std::vector<Block>
      blocks;  ///< weights, Adam's moments, state; weights and state of the best epoch
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
  /// Called after each step, after each epoch and at the end. If it returns true, on_state() is
  /// called.
  virtual bool wants(const FitState&) { return false; }
  /// Called if wants() returned true. The weights in the state are finite.
  virtual void on_state(const FitState&) {}
};

/// Trains like Keras's fit(): Adam, a new permutation in every epoch, and a last batch that may be
/// partial. Throws Error (user), with step and layer, if the loss is not finite because the
/// learning rate is too high. Throws Error (user) before the first step for options out of range
/// (epochs at least 1; batch_size at least 1 and at most the batch size of the compiled model;
/// patience and start_from_epoch at least 0; Adam's options as in experiments, except that
/// learning_rate may be larger; a known monitor), a model compiled for inference, and examples that
/// are empty or do not fit the model's input and classes. The same options, data and number of
/// threads give the same weights, bit for bit, even if the fit was stopped and resumed from a
/// state.
History fit(CompiledModel& model, const Examples& train, const Examples& validation,
            const FitOptions& options, FitObserver& observer);

}  // namespace sluice

#pragma GCC visibility pop
