#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "io/event_file.h"
#include "sluice/dataset.h"
#include "sluice/trainer.h"

namespace sluice::cli {

/// Whether standard output is a terminal, where a line can be drawn over.
bool on_terminal();

/// "1:05", "2:03:04"
std::string clock_text(double seconds);

/// Shows a fit: on a terminal one line an epoch that is redrawn as it goes, elsewhere a plain line
/// an epoch, and in long epochs one every half minute. Where Ctrl-C is noticed.
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

/// Prints what loading says, and a download's progress likewise.
DataEvents data_events();

}  // namespace sluice::cli
