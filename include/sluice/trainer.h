#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/network.h"

namespace [[gnu::visibility("default")]] sluice {

/// Adam in Keras's "epsilon hat" form (Kingma and Ba 2014, section 2;
/// keras/src/optimizers/adam.py).
struct AdamOptions {
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
};

/// Ends a fit that no longer improves: keras.callbacks.EarlyStopping, with its names and defaults.
struct EarlyStopping {
  bool enabled = false;
  std::string monitor = "val_loss";  ///< or "val_accuracy", "loss", "accuracy"
  double min_delta = 0;              ///< less than this is no improvement
  int patience = 0;                  ///< epochs without improvement after which it ends
  bool restore_best_weights = false;
  int start_from_epoch = 0;  ///< that many epochs are not looked at
};

struct FitOptions {
  int epochs = 10;
  int batch_size = 32;
  AdamOptions adam;
  std::uint64_t seed = 0;
  std::uint32_t stage = 0;  ///< tells apart the stages that share a seed
  EarlyStopping early_stopping = {};
};

/// One row of a History. Training figures are means over the epoch's images, taken with dropout on
/// while the weights move; val_ figures are from the end of the epoch.
struct Epoch {
  double loss = 0;
  double accuracy = 0;
  double val_loss = 0;
  double val_accuracy = 0;
  double seconds = 0;  ///< training alone, without validation
};

struct History {
  std::vector<Epoch> epochs;
  int restored_epoch = 0;        ///< from 1: the one whose weights were restored at the end, or 0
  double seconds = 0;            ///< training and validation
  double cpu_seconds = 0;        ///< of all threads, likewise
  std::int64_t images = 0;       ///< trained on, counting repeats
  double images_per_second = 0;  ///< of training alone

  /// Adds what another fit took; epochs and images_per_second stay.
  void add_cost(const History& other) {
    seconds += other.seconds;
    cpu_seconds += other.cpu_seconds;
    images += other.images;
  }
};

/// Where a fit is. Loss and accuracy are the epoch's means so far.
struct Progress {
  int epoch = 0;  ///< from 1
  int epochs = 0;
  int step = 0;  ///< from 1
  int steps = 0;
  double loss = 0;
  double accuracy = 0;
  double seconds = 0;           ///< since the epoch began
  double seconds_per_step = 0;  ///< mean over the epoch
  double seconds_left = 0;      ///< of the fit
};

/// Where a fit stands: all that it needs to go on as if it had never stopped.
struct FitState {
  /// Memory of the fit or its model.
  struct Block {
    std::string name;
    std::span<float> values;
  };

  /// Of EarlyStopping.
  struct Stopping {
    double best = 0;     ///< of the monitored figure
    int best_epoch = 0;  ///< 0 as long as none was looked at
    int wait = 0;        ///< epochs since it improved
  };

  bool finished = false;
  int epoch = 1;       ///< under way, from 1
  int step = 0;        ///< steps done in it
  double loss = 0;     ///< summed over the epoch's images so far
  double right = 0;    ///< how many of them were classified rightly
  double seconds = 0;  ///< of the epoch so far
  History history;     ///< of the epochs before
  Stopping stopping;
  std::vector<Block> blocks;  ///< weights, Adam's moments, state, the best epoch's of both
};

/// Told how a fit goes, on the fitting thread. An exception thrown from any of these ends the fit.
class FitObserver {
 public:
  virtual ~FitObserver() = default;
  /// Before all else. May give the state the values that one of the same model and options had, its
  /// blocks in place; the fit goes on from there, and tells of the epochs before once more.
  virtual void on_begin(FitState&) {}
  virtual void on_step(const Progress&) {}
  virtual void on_epoch(const Progress&, const Epoch&) {}
  /// After each step, each epoch and at the end: whether on_state() is to be called.
  virtual bool wants(const FitState&) { return false; }
  /// The weights in it are finite.
  virtual void on_state(const FitState&) {}
};

/// Trains like Keras's fit(): a new permutation every epoch, the last, partial batch kept, Adam.
/// Throws Error (user): naming step and layer if the loss is not finite, for the learning rate was
/// too high; before the first step for options out of range (epochs and batch_size at least 1 and
/// at most what the model was compiled for, patience and start_from_epoch at least 0, Adam's as
/// experiments have them but for a larger learning_rate, a known monitor), a model compiled without
/// training, and examples that are none, or not of the model's input and classes. The same options,
/// data and number of threads give the same weights bit for bit, however often the fit was stopped
/// and went on from a state.
History fit(CompiledModel& model, const Examples& train, const Examples& validation,
            const FitOptions& options, FitObserver& observer);

}  // namespace sluice
