#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/timer.h"
#include "formats/tensorboard/event_file.h"
#include "run/checkpoints.h"
#include "sluice/lab/run.h"

namespace sluice {

/// The curves of one fit that Keras's callback writes for TensorBoard, in folder/train and
/// folder/validation.
class EventLog {
 public:
  /// Replaces those that a stopped run has written, for all epochs are told again.
  explicit EventLog(const std::filesystem::path& folder);

  void add(int epoch, const Epoch& figures);

 private:
  EventFile train_;
  EventFile validation_;
};

/// The fit of one stage: tells the run's observer of it, and keeps its states in checkpoints, to
/// continue from them if there are any. A state is kept after each epoch unless the last one is too
/// recent for what it cost, every so many steps, at the end, and where the observer wants to stop.
class StageFit : public FitObserver {
 public:
  /// Refers to checkpoints and observer. Without `events` no log is written there.
  StageFit(const Stage& stage, Checkpoints& checkpoints, RunObserver& observer, int every_steps,
           const std::optional<std::filesystem::path>& events);

  /// Seconds that the fit had taken before this process, where it was found half done or finished.
  double restored_seconds() const { return restored_seconds_; }

  void on_begin(FitState& state) override;
  void on_step(const Progress& progress) override { observer_.on_step(progress); }
  void on_epoch(const Progress& progress, const Epoch& epoch) override;
  bool wants(const FitState& state) override;
  void on_state(const FitState& state) override;

 private:
  std::string stage_;
  Checkpoints& checkpoints_;
  RunObserver& observer_;
  int every_steps_;
  std::optional<EventLog> events_;
  int steps_ = 0;            ///< since the last state that was kept
  Timer since_;              ///< likewise
  double cost_seconds_ = 0;  ///< of keeping that one; 0 before the first, which is always kept
  double restored_seconds_ = 0;
};

}  // namespace sluice
