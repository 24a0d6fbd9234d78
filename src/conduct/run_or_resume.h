#pragma once

#include <memory>
#include <string>

#include "conduct/pool.h"
#include "sluice/lab/run.h"

namespace sluice {

class Team;

/// What a run has in common with others. Not owned.
struct Shared {
  const Dataset* data = nullptr;  ///< null: the run loads its images
  Team* team = nullptr;           ///< null: it makes its own, if RunOptions has a cluster
  int rank = 0;                   ///< of the team, where it trains
  bool among_others = false;      ///< other runs are trained beside it
};

/// The team of RunOptions::cluster; null if there is none. Throws Error (user) if the options also
/// want trainings beside each other in this process.
std::unique_ptr<Team> team_of(const Experiment& experiment, const RunOptions& options,
                              const Dataset& data);

/// Trains one experiment in RunOptions::folder, or the rest of it; a finished run stays. Throws as
/// run() and resume() do, and Error (user) if the folder has a run of another experiment.
void run_or_resume(const Experiment& experiment, const RunOptions& options, RunObserver& observer,
                   const Shared& shared = {});

/// Returns run_or_resume() as a work among others, which share the images and the team.
Pool::Work run_beside_others(std::string name, double cost, const Experiment& experiment,
                             const RunOptions& options, const Dataset& data, Team* team);

}  // namespace sluice
