#pragma once

#include <string>

#include "sluice/dataset.h"
#include "sluice/trainer.h"

namespace sluice::cli {

/// Whether standard output is a terminal where a line can be drawn over.
bool can_redraw();

/// "1:05", "2:03:04"
std::string clock_text(double seconds);

/// Shows a fit: on a terminal one line an epoch that is redrawn as it goes, elsewhere a plain line
/// an epoch, and in long epochs one every half minute.
class FitProgress {
 public:
  void on_step(const Progress& progress);
  void on_epoch(const Progress& progress, const Epoch& epoch);

 private:
  double last_shown_ = 0;  ///< seconds into the epoch
};

/// Prints what loading says, and a download's progress likewise.
DataEvents data_events();

}  // namespace sluice::cli
