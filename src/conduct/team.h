#pragma once

#include <string>
#include <vector>

#include "cluster/ranks.h"
#include "sluice/lab/lab.h"
#include "sluice/lab/run_folder.h"

namespace sluice {

/// Rank 0's side of a run on several ranks: tells them what to train, and trains it with them.
/// Refers to the ranks and the data.
class Team {
 public:
  /// Gives the ranks the experiment, and its images where they do not find them. Throws Error: user
  /// for settings that leave the ranks nothing to divide, or if a rank has another version,
  /// instruction set or other images.
  Team(Ranks& ranks, const Experiment& experiment, const Dataset& data, const DataRecord& record);

  /// "2 ranks on a and b train together: each computes 2 of 4 shards"
  std::string words() const;
  Communicator& ranks() { return ranks_; }
  /// What the training needed so far.
  ClusterFigures figures() const;

  // As those of Lab, with a lab of these ranks.
  TrainedModel train(const Lab& lab, const Stage& stage, const std::vector<Groups::Group>& groups,
                     FitObserver& observer);
  TrainedMixture train_mixture(const Lab& lab, const Stage& stage,
                               const std::vector<Groups::Group>& groups,
                               const TrainedModel& baseline,
                               const std::vector<TrainedModel>& experts, const TrainedModel& gate,
                               FitObserver& observer);

 private:
  Ranks& ranks_;
  int shards_;
};

/// The side of the other ranks: trains what rank 0 asks for, until end_service().
void serve(Ranks& ranks);
void end_service(Ranks& ranks);

}  // namespace sluice
