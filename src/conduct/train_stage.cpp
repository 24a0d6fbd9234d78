#include "conduct/train_stage.h"

#include "conduct/experiment_lab.h"

namespace sluice {

TrainedModel train_stage(const Experiment& experiment, const Dataset& data, const Stage& stage,
                         FitObserver& observer, const TrainingPlace& place) {
  Team* const team = place.team;
  if (team != nullptr && team->trains_jointly()) {
    return team->train_jointly(experiment, stage, observer);
  }
  if (place.rank > 0) {
    return team->train_on(place.rank, experiment, stage, observer, place.should_stop);
  }
  const Groups groups(experiment.groups, data.class_names, experiment.file);
  return lab_of(experiment, data, groups).train(stage, observer);
}

TrainedMixture train_mixture_stage(const Experiment& experiment, const Dataset& data,
                                   const Stage& stage, const TrainedModel& baseline,
                                   const std::vector<TrainedModel>& experts,
                                   const TrainedModel& gate, FitObserver& observer,
                                   const TrainingPlace& place) {
  Team* const team = place.team;
  std::vector<const TrainedModel*> parts{&baseline};
  for (const TrainedModel& expert : experts) parts.push_back(&expert);
  parts.push_back(&gate);
  if (team != nullptr && team->trains_jointly()) {
    return team->train_jointly(experiment, stage, parts, observer);
  }
  if (place.rank > 0) {
    return team->train_on(place.rank, experiment, stage, parts, observer, place.should_stop);
  }
  const Groups groups(experiment.groups, data.class_names, experiment.file);
  return lab_of(experiment, data, groups).train_mixture(baseline, experts, gate, observer);
}

}  // namespace sluice
