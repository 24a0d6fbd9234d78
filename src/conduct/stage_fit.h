#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "base/timer.h"
#include "formats/tensorboard/event_file.h"
#include "run/checkpoints.h"
#include "sluice/lab/run.h"

namespace sluice {

/// Writes the curves of one fit for TensorBoard, as Keras's callback does, to folder/train and
/// folder/validation.
class EventLog {
 public:
  /// Replaces the curves of a stopped run, because all epochs are added again.
  explicit EventLog(const std::filesystem::path& folder);

  void add(int epoch, const Epoch& figures);

 private:
  EventFile train_;
  EventFile validation_;
};

/// Observes the fit of one stage: reports it to the run's observer, writes checkpoints, and
/// continues from an existing one. A checkpoint is written after each epoch if that costs little
/// time, after every `every_steps` steps, at the end, and if the observer wants to stop.
class StageFit : public FitObserver {
 public:
  /// Refers to checkpoints and observer. `events` is the folder for TensorBoard's curves, if they
  /// are written.
  StageFit(const Stage& stage, Checkpoints& checkpoints, RunObserver& observer, int every_steps,
           const std::optional<std::filesystem::path>& events);

  /// Seconds that the fit took before this process, if it was resumed or finished before.
  double restored_seconds() const { return restored_seconds_; }

  void on_begin(FitState& state) override;
  void on_step(const Progress& progress) override { observer_.on_step(progress); }
  void on_epoch(const Progress& progress, const Epoch& epoch) override;
  /// Notes experts that get hardly any images, once.
  void on_expert_use(const std::vector<ExpertUse>& layers) override;
  bool wants(const FitState& state) override;
  void on_state(const FitState& state) override;

 private:
  std::string stage_;
  Checkpoints& checkpoints_;
  RunObserver& observer_;
  int every_steps_;
  std::optional<EventLog> events_;
  std::set<std::string> starved_;  ///< experts of the last epoch
  int steps_ = 0;                  ///< since the last checkpoint
  Timer since_;                    ///< time since the last checkpoint
  double cost_seconds_ = 0;  ///< time of writing it; 0 before the first, which is always written
  double restored_seconds_ = 0;
};

}  // namespace sluice
