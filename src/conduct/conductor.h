#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/timer.h"
#include "conduct/pool.h"
#include "conduct/ranks/team.h"
#include "conduct/run_or_resume.h"
#include "conduct/stage_fit.h"
#include "run/checkpoints.h"
#include "sluice/lab/report.h"
#include "sluice/lab/run.h"

namespace sluice {

/// Returns results with the facts of an experiment and its data, and without figures.
Results results_about(const Experiment& experiment, const Dataset& data);

/// Judges the answers for the test images, adds the timer's seconds to results.total_seconds, and
/// writes the files of a finished run: the report is the last.
void finish_run(const RunFolder& folder, const Answers& answers, const Examples& test,
                const Timer& timer, Results& results, RunObserver& observer);

/// One run of a lab in its folder: each stage trains a model, writes its files and reports its
/// figures. A stage that was finished before is not trained, but reports and writes everything
/// again. Refers to all arguments except the folder.
class Conductor {
 public:
  Conductor(const Experiment& experiment, const Dataset& data, const DataRecord& record,
            RunFolder folder, const RunOptions& options, RunObserver& observer,
            const Shared& shared);

  Results run();

 private:
  void set_groups(const std::vector<Groups::Group>& groups);
  void find_groups(const TrainedModel& baseline);
  void begin();
  void announce(const Stage& stage);
  StageFit observe(const Stage& stage, RunObserver& observer);
  struct Fitted {
    TrainedModel model;
    double restored_seconds;
  };
  Fitted fit(const Experiment& experiment, const Stage& stage, RunObserver& observer, int rank);
  void train_ahead();
  Fitted collect(const Stage& stage);
  TrainedModel train(const Stage& stage, ModelResult& result);
  void train_earlier(const Stage& stage);
  TrainedMixture train_mixture(const Stage& stage, const TrainedModel& baseline,
                               const std::vector<TrainedModel>& experts, const TrainedModel& gate);
  Answers ask_alone(const TrainedModel& network);
  Views views() const;  ///< of the test images
  Answers compare(const TrainedModel& baseline, const TrainedMixture& mixture);
  void train_control(const Stage& wanted, Answers& answers);
  void conclude(const Stage& stage, ModelResult& result, const std::vector<LayerProfile>& profile);

  CompileOptions inference() const;  ///< with large batches
  CompileOptions inference_of_one() const;
  double latency_alone(const TrainedModel& trained) const;

  const Dataset& data_;
  Team* const team_;  ///< of a run on several ranks, or null
  const int rank_;    ///< that trains, of a run among others
  std::unique_ptr<const Groups> groups_;
  std::unique_ptr<const Lab> lab_;  ///< refers to the groups
  RunFolder folder_;
  Figures figures_;
  const RunOptions& options_;
  RunObserver& observer_;
  Checkpoints checkpoints_;
  Results results_;
  int stage_ = 0;
  int slots_ = 1;  ///< of the pool
  double restored_seconds_ = 0;
  std::map<std::string, std::optional<Fitted>> ahead_;  ///< by the names of the pool's stages
  std::optional<Pool> pool_;  ///< last, because its threads use the other members
};

}  // namespace sluice
