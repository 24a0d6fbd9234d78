#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sluice/error.h"
#include "sluice/lab/class_groups.h"
#include "sluice/lab/frontier.h"
#include "sluice/lab/lab.h"
#include "sluice/lab/run_folder.h"
#include "sluice/trainer.h"

#pragma GCC visibility push(default)

namespace sluice {

// Runs of experiments: training of the stages, evaluation, and the run folder with the results.

class Ranks;
class Wire;

/// The processes, called ranks, that mpirun or srun started together, on one computer or several.
/// Rank 0 conducts runs: it has the run folder and tells the others what to train. They need no
/// folder and no settings.
class Cluster {
 public:
  /// Joins the ranks, which all call it, once. Null if nothing started ranks, or one alone. A rank
  /// that does not answer within the deadline, in seconds, ends the work of all. Throws Error: user
  /// if this Sluice was built without MPI, machine if MPI does not start.
  static std::unique_ptr<Cluster> join(double deadline);
  /// By another wire than MPI's; not owned.
  Cluster(Wire& wire, double deadline);
  ~Cluster();

  /// The number that the launcher gave this process, before and without join(); 0 without one.
  static int launched_rank();
  /// The number of ranks that it started; 0 without one.
  static int launched_ranks();

  int rank() const;  ///< from 0
  int size() const;
  Ranks& ranks() { return *ranks_; }

  /// On all ranks but 0: trains what rank 0 asks for, until it calls finish(). Throws Error; what
  /// another rank reported is a ReportedError, which that rank or rank 0 tells the user.
  void serve();
  /// On rank 0: the others return from serve(). On all ranks it is the last call.
  void finish();
  /// Tells the other ranks that this one ends with an error. Does not wait for them.
  void report(const Error& error) noexcept;
  /// Whether this rank should print its error: rank 0 prints those of all that it can hear of.
  bool tells(const Error& error) const;

 private:
  std::unique_ptr<Wire> own_wire_;
  Wire& wire_;
  std::unique_ptr<Ranks> ranks_;
};

struct RunOptions {
  /// Folder that run() makes: see RunFolder::create(). resume() does not use it.
  std::filesystem::path folder;
  /// Place of the images: DataPlace::path. If it is empty, run() searches as load_data() does, and
  /// resume() uses the place where the run found them before.
  std::string data;
  /// Also writes curves for TensorBoard. A resumed run that has curves continues them in any case.
  bool tensorboard = false;
  /// Number of steps between checkpoints. A checkpoint is also written after an epoch, if that
  /// takes less than 1.5% of the time, and at the end of each stage. Values below 1 count as 1.
  int checkpoint_steps = 500;
  /// Number of trainings that run beside each other, each with an equal part of the OpenMP threads:
  /// of a run the stages that need no other one, of run_seeds() and run_frontier() whole runs. A
  /// run of one network has nothing to train beside it, and uses all threads. Each training gives
  /// the weights that it gives alone with that number of threads. At least 1, and at most the
  /// number of OpenMP threads, which must not be bound to processors; otherwise Error (user) is
  /// thrown.
  int parallel = 1;
  /// Ranks that take part: they train each batch together if LabOptions::shards is above 1, and
  /// otherwise trainings beside each other, as with `parallel`, which must be 1 then. Null: this
  /// process trains alone. Not owned.
  Cluster* cluster = nullptr;
};

/// Thrown by run() and resume() if should_stop() of their observer returned true.
class Stopped : public std::exception {
 public:
  const char* what() const noexcept override;
};

/// State at the start of a run: data and groups are checked, and the folder exists.
struct RunStart {
  const RunFolder& folder;
  const Dataset& data;
  const Examples& train;  ///< without those for validation
  const Examples& test;
};

struct StageStart {
  const Stage& stage;
  int number;  ///< from 1
  int count;   ///< number of stages; 0 before the groups are found
  const Examples& train;
  const Examples& test;  ///< examples to evaluate its model on
  const std::variant<Sequential, Mixture>& model;
};

/// A training, or in run_seeds() and run_frontier() a run, that runs beside others.
struct Running {
  std::string name;   ///< of the stage, or of the run
  Progress progress;  ///< of the stage; its epochs are 0 before the first step
};

/// Callbacks of a run, on the thread that called run() or resume(). They are called in the order
/// below, those from on_stage() to on_model() for each stage. An exception from any of them ends
/// the run, which can be resumed from its last checkpoint.
///
/// With RunOptions::parallel the order is the same: the reports of a stage that is trained beside
/// others are kept until it is its turn. on_running() takes the place of on_step().
class RunObserver {
 public:
  virtual ~RunObserver() = default;

  /// Called while data is loaded, before each stage and after each step. If it returns true, the
  /// current stage is saved in a checkpoint, and Stopped is thrown. While trainings run beside each
  /// other it is called ten times a second, and all of them are saved.
  virtual bool should_stop() { return false; }

  /// Returns the callbacks for loading the data.
  virtual DataEvents loading() { return {}; }
  /// Called with a line for the user, at any time: figures that could not be drawn, damaged
  /// checkpoints that are ignored, a machine other than that of the run's start.
  virtual void on_note(const std::string& /*line*/) {}
  virtual void on_begin(const RunStart&) {}

  virtual void on_stage(const StageStart&) {}
  /// Called if the stage continues from this state, or was finished before. on_epoch() is called
  /// again for its earlier epochs.
  virtual void on_resumed(const FitState&) {}
  virtual void on_step(const Progress&) {}
  /// Called about ten times a second with the trainings that run beside each other, and the
  /// estimated time until all of them are finished; 0 if it is not known yet.
  virtual void on_running(const std::vector<Running>&, double /*seconds_left*/) {}
  virtual void on_epoch(const Progress&, const Epoch&) {}
  /// Called when the files of the stage's model are written. The profile is of its fit, including
  /// validation; for a stage that was finished before it has no backward passes.
  virtual void on_model(const Stage&, const ModelResult&, const std::vector<LayerProfile>&) {}

  /// Called when groups were found, behind on_model() of the baseline.
  virtual void on_groups(const ClassConfusions&, const std::vector<Groups::Group>&) {}

  /// Called when results.json is written; SHA256SUMS and the report follow.
  virtual void on_results(const Results&) {}
};

/// Trains an experiment in a new run folder and writes all files that RunFolder describes,
/// including the report. resume() can continue a run that ended early for any reason. Throws
/// Stopped, and Error: user if data or groups do not fit the experiment, the folder is not empty,
/// or the loss is not finite; machine, before the training, if the disk has too little space.
Results run(const Experiment& experiment, const RunOptions& options, RunObserver& observer);

/// Continues a stopped run, with the experiment in its folder. Weights and figures become those of
/// an uninterrupted run, bit for bit. Throws as run() does, and Error (user) if the run is
/// finished, has no checkpoints, is being trained by another process, or began with other images or
/// another experiment.
Results resume(const std::filesystem::path& stopped, const RunOptions& options,
               RunObserver& observer);

/// Evaluates the models of an imported run on test images, and writes what a finished run has, but
/// no histories: results.json, predictions.csv, gallery.json, report.html, figures, SHA256SUMS. The
/// figures of training are 0. Without a separate baseline, a mixture's own is the one that it is
/// compared with. `data` is the place of the images, as in load_test_data(). Called again, it
/// writes everything again. Calls of the observer: should_stop(), loading(), on_note() and
/// on_results(). Throws Stopped, and Error (user) if the run was not imported, has neither a
/// mixture nor a baseline, or the images do not fit its models.
Results evaluate_imported(const std::filesystem::path& run, const std::string& data,
                          RunObserver& observer);

/// Runs of one experiment that differ in their seed alone.
struct SeedRuns {
  struct Run {
    std::uint64_t seed = 0;
    std::filesystem::path folder;
    double baseline = 0;            ///< test accuracy
    std::optional<double> mixture;  ///< of an experiment with groups
    double seconds = 0;             ///< of the whole run
  };

  std::filesystem::path folder;
  std::vector<Run> runs;
  Spread baseline;
  std::optional<Spread> mixture;
};

/// Trains an experiment with `count` seeds, from its own seed upwards, each as run() does, in the
/// folders seed-<seed> of RunOptions::folder; without that, of runs/<name>-seeds. Then writes the
/// accuracies, their means and standard deviations to seeds.json in it. Called again with the same
/// arguments, it resumes a stopped run and does not repeat finished ones. Throws as run() does, and
/// Error (user) if a run there is of another experiment.
SeedRuns run_seeds(const Experiment& experiment, int count, const RunOptions& options,
                   RunObserver& observer);

/// Trains the mixture of an experiment and the dense networks of Experiment::frontier with each
/// seed, as run() does, without controls, in the folders seed-<seed>/mixture and
/// seed-<seed>/width-<width> of RunOptions::folder; without that, of runs/<name>-frontier. A dense
/// network is trained for as many whole epochs as its part of the mixture's training work has. Then
/// it compares them, and writes frontier.json, frontier.html and frontier.png. Each run is noted
/// before it begins. Called again with the same arguments, it resumes a stopped run and does not
/// repeat finished ones. Throws as run() does, and Error (user) for an experiment without a
/// mixture, without validation images, or if a run there is of another experiment.
Frontier run_frontier(const Experiment& experiment, const RunOptions& options,
                      RunObserver& observer);

}  // namespace sluice

#pragma GCC visibility pop
