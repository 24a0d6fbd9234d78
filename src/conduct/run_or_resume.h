#pragma once

#include "sluice/lab/run.h"

namespace sluice {

/// Trains one experiment in RunOptions::folder, or the rest of it; a finished run stays. Throws as
/// run() and resume() do, and Error (user) if the folder has a run of another experiment.
void run_or_resume(const Experiment& experiment, const RunOptions& options, RunObserver& observer);

}  // namespace sluice
