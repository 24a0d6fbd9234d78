#pragma once

#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/lab/run.h"
#include "sluice/trainer.h"

namespace sluice::cli {

/// Whether standard output is a terminal that can redraw a line.
bool can_redraw();

/// Formats a time: "1:05", "2:03:04".
std::string clock_text(double seconds);

/// Prints the progress of a fit: on a terminal one line per epoch, which is redrawn; elsewhere a
/// plain line per epoch, and in long epochs one every half minute.
class FitProgress {
 public:
  void on_step(const Progress& progress);
  void on_epoch(const Progress& progress, const Epoch& epoch);
  /// Redraws a line on a terminal, and prints nothing elsewhere.
  void on_running(const std::vector<Running>& all, double seconds_left);
  /// Prints a line in place of the one that is redrawn.
  static void end(const std::string& line);
  /// Removes the line of on_running(), so that other text can be printed.
  void clear();

 private:
  double last_shown_ = 0;    ///< seconds since the start of the epoch
  bool is_running_ = false;  ///< the line of on_running() is shown
};

/// Returns callbacks that print the messages and the progress of loading and downloading.
DataEvents data_events();

}  // namespace sluice::cli
