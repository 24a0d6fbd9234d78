#include "run/experiment_checks.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "run/run_data.h"
#include "runtime/sharded_model.h"
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

/// The outputs of a mixture are no softmax.
void check_calibration(const Experiment& experiment, const std::string& place) {
  if (!experiment.lab.calibrate || !experiment.has_mixture()) return;
  throw user_error("experiment",
                   "{}: train.calibrate is for one network, and there are groups: leave it out",
                   place);
}

/// The parts of a mixture are not begun with the weights of one network.
void check_start(const Experiment& experiment, const std::string& place) {
  if (experiment.weights.empty() || !experiment.has_mixture()) return;
  throw user_error("experiment",
                   "{}: model.weights is for one network, and there are groups: leave it out",
                   place);
}

void check_shards(const LabOptions& lab, const std::string& place) {
  try {
    require_shards({.batch = lab.batch_size, .shards = lab.shards});
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
  check_calibration(experiment, file);
  check_start(experiment, file);
  check_early_stopping(experiment, file);
  check_shards(experiment.lab, file);
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
    const std::string meant = closest(name, names);
    throw user_error("experiment", "{}: train.class_weight: {} is no class and no group: {}", place,
                     one_line(name),
                     meant.empty()
                         ? one_line(fmt::format("give one of {}", fmt::join(names, ", ")), 400)
                         : "did you mean " + meant + "?");
  }
}

void check_optimizer(const LabOptions& lab, const std::string& place) {
  const LabOptions::Epochs& epochs = lab.epochs;
  try {
    for (const int each : {epochs.baseline, epochs.experts, epochs.gate, epochs.mixture}) {
      require_optimizer(lab.optimizer, each);
    }
  } catch (const Error& error) {
    throw user_error("experiment", "{}: train.{}", place, untagged(error));
  }
}

}  // namespace sluice
