#pragma once

#include <exception>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "sluice/lab/lab.h"
#include "sluice/lab/run_folder.h"
#include "sluice/trainer.h"

namespace [[gnu::visibility("default")]] sluice {

// Runs an experiment: its stages are trained and judged, and a run folder keeps all of it.

struct RunOptions {
  /// The folder that run() makes: see RunFolder::create(). resume() does not read it.
  std::filesystem::path folder;
  /// Where the images are: DataPlace::path. Where it is empty, run() looks wherever load_data()
  /// does, and resume() where the run was trained before.
  std::string data;
  /// Also writes curves for TensorBoard. A resumed run that has some goes on with them.
  bool tensorboard = false;
  /// A checkpoint is written every so many steps, after an epoch where that takes less than 1.5% of
  /// the time, and at the end of each stage. Less than 1 counts as 1.
  int checkpoint_steps = 500;
};

/// Thrown by run() and resume() where their observer wanted them to stop.
class Stopped : public std::exception {
 public:
  const char* what() const noexcept override;
};

/// What a run begins with, once data and groups are checked and the folder is made.
struct RunStart {
  const RunFolder& folder;
  const Dataset& data;
  const Examples& train;  ///< less those kept for validation
  const Examples& test;
};

struct StageStart {
  const Stage& stage;
  int number;  ///< from 1
  int count;   ///< of all stages
  const Examples& train;
  const Examples& test;  ///< what its model will be evaluated on
  const std::variant<Sequential, Mixture>& model;
};

/// Is told how a run goes, on the thread that called run(). The calls come in the order below,
/// those from on_stage() to on_model() once for each stage. An exception from any of them ends the
/// run, which can be resumed from its last checkpoint.
class RunObserver {
 public:
  virtual ~RunObserver() = default;

  /// Is asked while data is loaded, before each stage and after each step. Once it is true, the
  /// state of the stage under way is kept in a checkpoint, and Stopped is thrown.
  virtual bool should_stop() { return false; }

  /// Whom loading tells what it does.
  virtual DataEvents loading() { return {}; }
  /// A line for the user, at any time: pictures that could not be drawn, damaged checkpoints that
  /// were passed over, another machine than the run began on.
  virtual void on_note(const std::string& /*line*/) {}
  virtual void on_begin(const RunStart&) {}

  virtual void on_stage(const StageStart&) {}
  /// The stage continues from this state, or was finished before. Its earlier epochs are told
  /// again.
  virtual void on_resumed(const FitState&) {}
  virtual void on_step(const Progress&) {}
  virtual void on_epoch(const Progress&, const Epoch&) {}
  /// The files of the stage's model are written. The profile is that of its fit, validation
  /// included; of a stage that was finished before it has no backward passes.
  virtual void on_model(const Stage&, const ModelResult&, const std::vector<LayerProfile>&) {}

  /// results.json is written; sums and report follow.
  virtual void on_results(const Results&) {}
};

/// Trains an experiment in a new run folder and writes all that RunFolder describes, the report
/// too. A run that ended early, whatever stopped it, can be continued by resume(). Throws Stopped,
/// and Error: user for data or groups that do not fit the experiment, a folder that is not empty,
/// or a loss that is not finite; machine for a disk with too little room, before anything is
/// trained.
Results run(const Experiment& experiment, const RunOptions& options, RunObserver& observer);

/// Continues a run that was stopped, with the experiment in its folder. Weights and figures become
/// those of a run that was never stopped, bit for bit. Throws as run() does, and Error (user) for a
/// run that is finished, has no checkpoints, is being trained by another process, or would go on
/// with other images or another experiment than it began with.
Results resume(const std::filesystem::path& stopped, const RunOptions& options,
               RunObserver& observer);

}  // namespace sluice
