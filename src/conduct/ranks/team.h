#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cluster/ranks.h"
#include "sluice/lab/lab.h"
#include "sluice/lab/run_folder.h"

namespace sluice {

/// Rank 0's side of the training on several ranks. With several shards all ranks train jointly,
/// each a part of every batch; with one shard each rank trains networks of its own. Refers to the
/// ranks and the data. train_on() may be called for several ranks at the same time, each by one
/// thread.
class Team {
 public:
  /// Gives the ranks the images where they do not find them. Throws Error: user if a rank has
  /// another version, instruction set, number of threads (without shards) or other images.
  Team(Ranks& ranks, const Experiment& experiment, const Dataset& data, const DataRecord& record);

  bool trains_jointly() const { return shards_ > 1; }
  /// Ranks beside this one that train networks of their own.
  int other_ranks() const { return trains_jointly() ? 0 : ranks_.count() - 1; }
  /// "2 ranks on a, b train together: each computes 2 of 4 shards"
  std::string words() const;
  ClusterFigures figures() const;  ///< of the training so far

  /// As Lab::train(), on all ranks. `parts` are those of the mixture's stage: the baseline, the
  /// experts, the gate.
  TrainedModel train_jointly(const Experiment& experiment, const Stage& stage,
                             FitObserver& observer);
  TrainedMixture train_jointly(const Experiment& experiment, const Stage& stage,
                               const std::vector<const TrainedModel*>& parts,
                               FitObserver& observer);
  /// Likewise on another rank alone. Asks `should_stop` while it waits; the observer gets the
  /// state before the rank stops.
  TrainedModel train_on(int rank, const Experiment& experiment, const Stage& stage,
                        FitObserver& observer, const std::function<bool()>& should_stop);
  TrainedMixture train_on(int rank, const Experiment& experiment, const Stage& stage,
                          const std::vector<const TrainedModel*>& parts, FitObserver& observer,
                          const std::function<bool()>& should_stop);

 private:
  Ranks& ranks_;
  const Dataset& data_;
  int shards_;
};

}  // namespace sluice
