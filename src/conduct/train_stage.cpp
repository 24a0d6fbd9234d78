#include "conduct/train_stage.h"

#include "conduct/experiment_lab.h"

namespace sluice {

TrainedModel train_stage(const Experiment& experiment, const Dataset& data, const Stage& stage,
                         FitObserver& observer) {
  const Groups groups(experiment.groups, data.class_names, experiment.file);
  return lab_of(experiment, data, groups).train(stage, observer);
}

}  // namespace sluice
