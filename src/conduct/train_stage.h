#pragma once

#include <functional>
#include <vector>

#include "conduct/ranks/team.h"
#include "sluice/lab/lab.h"
#include "sluice/lab/run_folder.h"

namespace sluice {

/// Where a stage is trained.
struct TrainingPlace {
  Team* team = nullptr;  ///< null: in this process alone
  int rank = 0;          ///< of a team that does not train jointly
  std::function<bool()> should_stop;
};

/// Trains the network of a stage of an experiment, whose groups are found by then.
TrainedModel train_stage(const Experiment& experiment, const Dataset& data, const Stage& stage,
                         FitObserver& observer, const TrainingPlace& place);
/// Likewise the mixture's stage.
TrainedMixture train_mixture_stage(const Experiment& experiment, const Dataset& data,
                                   const Stage& stage, const TrainedModel& baseline,
                                   const std::vector<TrainedModel>& experts,
                                   const TrainedModel& gate, FitObserver& observer,
                                   const TrainingPlace& place);

}  // namespace sluice
