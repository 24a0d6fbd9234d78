#pragma once

#include <string>

#include "conduct/pool.h"
#include "sluice/lab/run.h"

namespace sluice {

/// Trains one experiment in RunOptions::folder, or the rest of it; a finished run stays. If `data`
/// is null the run loads its images. Throws as run() and resume() do, and Error (user) if the
/// folder has a run of another experiment.
void run_or_resume(const Experiment& experiment, const RunOptions& options, RunObserver& observer,
                   const Dataset* data = nullptr);

/// Returns run_or_resume() as a work among others, which share the images: refers to them.
Pool::Work run_beside_others(std::string name, double cost, const Experiment& experiment,
                             const RunOptions& options, const Dataset& data);

}  // namespace sluice
