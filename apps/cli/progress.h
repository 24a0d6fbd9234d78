#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "cli/timer.h"
#include "formats/tensorboard/event_file.h"
#include "run/checkpoints.h"
#include "sluice/dataset.h"
#include "sluice/trainer.h"

namespace sluice::cli {

/// Whether standard output is a terminal where a line can be drawn over.
bool can_redraw();

/// "1:05", "2:03:04"
std::string clock_text(double seconds);

/// Shows a fit: on a terminal one line an epoch that is redrawn as it goes, elsewhere a plain line
/// an epoch, and in long epochs one every half minute.
class FitProgress : public FitObserver {
 public:
  void on_step(const Progress& progress) override;
  void on_epoch(const Progress& progress, const Epoch& epoch) override;

 private:
  double last_shown_ = 0;  ///< seconds into the epoch
};

/// The same, and for TensorBoard the curves that Keras's callback writes.
class LoggedProgress : public FitProgress {
 public:
  /// From here on, into folder/train and folder/validation.
  void log_to(const std::filesystem::path& folder);

  void on_epoch(const Progress& progress, const Epoch& epoch) override;

 private:
  std::unique_ptr<EventFile> train_;
  std::unique_ptr<EventFile> validation_;
};

/// The same, and keeps the fit's states, to go on from them if there are any: after each epoch
/// unless the last is too recent for what it cost, every so many steps, at the end, and after
/// Ctrl-C, which is noticed here.
class KeptProgress : public LoggedProgress {
 public:
  /// Refers to the checkpoints.
  KeptProgress(Checkpoints& checkpoints, int every_steps)
      : checkpoints_(checkpoints), every_steps_(every_steps) {}

  void begin_stage(const std::string& name) { stage_ = name; }
  /// What the fits had taken that were found half done or finished.
  double restored_seconds() const { return restored_seconds_; }

  void on_begin(FitState& state) override;
  bool wants(const FitState& state) override;
  void on_state(const FitState& state) override;

 private:
  Checkpoints& checkpoints_;
  int every_steps_;
  std::string stage_;
  int steps_ = 0;            ///< since the last one that was kept
  Timer since_;              ///< likewise
  double cost_seconds_ = 0;  ///< of that one
  double restored_seconds_ = 0;
};

/// Prints what loading says, and a download's progress likewise.
DataEvents data_events();

}  // namespace sluice::cli
