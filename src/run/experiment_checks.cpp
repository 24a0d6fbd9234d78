#include "run/experiment_checks.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "run/run_data.h"
#include "runtime/sharded_model.h"
#include "sluice/lab/frontier.h"
#include "train/require.h"

namespace sluice {

namespace {

void check_groups(const Experiment& experiment, const std::string& place) {
  std::vector<std::string> class_names = class_names_of_set(experiment.data.set);
  if (class_names.empty()) {
    // The classes are not known before the data is read, but a class in two groups is always wrong.
    std::set<std::string> distinct;
    for (const Groups::Group& group : experiment.groups) {
      distinct.insert(group.classes.begin(), group.classes.end());
    }
    class_names.assign(distinct.begin(), distinct.end());
  }
  const Groups checked(experiment.groups, class_names, place);
}

/// The parts of a mixture, of which the verdict tells, answer one view.
void check_views(const Settings& settings, const std::string& place) {
  if (settings.views == "one" || !settings.experiment.has_mixture()) return;
  throw user_error("experiment",
                   "{}: evaluate.views = \"{}\" is for one network: leave it out, and evaluate the "
                   "run with `sluice evaluate --views {}`",
                   place, settings.views, settings.views);
}

/// The outputs of a mixture are no softmax, its parts do not begin with the weights of one network,
/// and have stages of their own.
void check_settings_of_one_network(const Experiment& experiment, const std::string& place) {
  if (!experiment.has_mixture()) return;
  for (const auto& [is_set, key] : {std::pair{experiment.lab.calibrate, "train.calibrate"},
                                    {!experiment.weights.empty(), "model.weights"},
                                    {!experiment.lab.before.empty(), "train.before"}}) {
    if (!is_set) continue;
    throw user_error("experiment", "{}: {} is for one network, and there are groups: leave it out",
                     place, key);
  }
}

/// The stages before the last one, of one network, which have folders in that of the run.
void check_earlier_stages(const LabOptions& lab, const std::string& place) {
  const std::set<std::string> folders{"checkpoints", "figures", "tensorboard"};
  for (const EarlierStage& stage : lab.before) {
    if (folders.contains(stage.name)) {
      throw user_error("experiment",
                       "{}: train.before has a stage '{}', as a folder of a run is called: give it "
                       "another name",
                       place, stage.name);
    }
    if (stage.experts || is_routed(lab.network)) continue;
    throw user_error("experiment",
                     "{}: train.before has experts = false for '{}', and the network has no layer "
                     "of experts: leave it out",
                     place, one_line(stage.name));
  }
}

/// Makes a check whose messages begin with a name of [train].
template <class Check>
void check_training(const std::string& place, const Check& check) {
  try {
    check();
  } catch (const Error& error) {
    throw user_error("experiment", "{}: train.{}", place, untagged(error));
  }
}

/// Requires a permission for early stopping by test images, which are then no independent test.
void check_early_stopping(const Experiment& experiment, const std::string& place) {
  // Other data may have validation images, which is checked when it is there.
  if (experiment.data.set != "cifar-10" || experiment.data.validation_split > 0) return;
  require_validation(experiment.lab, false, place);
}

}  // namespace

void check_settings(const Settings& settings, const std::string& file,
                    const std::string& groups_place) {
  const Experiment& experiment = settings.experiment;
  if (!experiment.groups.empty()) check_groups(experiment, groups_place);
  if (!experiment.finds_groups) {
    stages(experiment.lab, experiment.groups);  // refuses controls without groups
  }
  check_views(settings, file);
  check_settings_of_one_network(experiment, file);
  check_early_stopping(experiment, file);
  const LabOptions& lab = experiment.lab;
  check_earlier_stages(lab, file);
  check_training(file, [&] { require_shards({.batch = lab.batch_size, .shards = lab.shards}); });
  // A folder's classes are not known before the data is read.
  const std::vector<std::string> class_names = class_names_of(experiment);
  if (!class_names.empty()) check_class_weights(experiment, class_names, file);
}

void check_class_weights(const Experiment& experiment, const std::vector<std::string>& class_names,
                         const std::string& place) {
  std::vector<std::string> names = class_names;
  for (const Groups::Group& group : experiment.groups) names.push_back(group.name);
  for (const auto& [name, weight] : experiment.lab.loss.class_weight.of) {
    if (std::ranges::find(names, name) != names.end()) continue;
    throw user_error("experiment", "{}: train.class_weight: {} is no class and no group: {}", place,
                     one_line(name), one_line(suggestion(name, names, "give one of"), 400));
  }
}

void check_optimizer(const LabOptions& lab, const std::string& place) {
  const LabOptions::Epochs& epochs = lab.epochs;
  check_training(place, [&] {
    if (!lab.before.empty()) {
      for (const Stage& stage : stages(lab, {})) {
        require_optimizer(lab.optimizer, stage.epochs_before + stage.epochs + stage.epochs_after);
      }
      return;
    }
    for (const int each : {epochs.baseline, epochs.experts, epochs.gate, epochs.mixture}) {
      require_optimizer(lab.optimizer, each);
    }
  });
}

}  // namespace sluice
