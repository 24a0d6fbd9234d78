#include <fmt/format.h>

#include "base/fail.h"
#include "sluice/lab/lab.h"

namespace sluice {

std::vector<Stage> stages(const LabOptions& options, const std::vector<Groups::Group>& groups) {
  // A run's results depend on these numbers: a new stage takes an unused one, below the experts'
  // first number.
  constexpr std::uint32_t kExperts = 16;
  const LabOptions::Epochs& epochs = options.epochs;
  std::vector<Stage> all{
      {StageKind::baseline, -1, names::kBaseline, "all classes", 1, epochs.baseline}};
  if (groups.empty()) {
    if (!options.controls.any()) return all;
    throw user_error("controls",
                     "controls are baselines to compare a mixture with, and the experiment has no "
                     "[[groups]]: declare groups, or train without controls");
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    all.push_back({StageKind::expert, static_cast<int>(g), names::expert(groups[g].name),
                   "its own classes", kExperts + static_cast<std::uint32_t>(g), epochs.experts});
  }
  all.push_back({StageKind::gate, -1, names::kGate, "which group", 2, epochs.gate});
  all.push_back({StageKind::mixture, -1, names::kMixture, "all parts but the gate, jointly", 3,
                 epochs.mixture});
  if (options.controls.longer) {
    all.push_back({StageKind::longer_baseline, -1, "control-longer", "a baseline of {} epochs", 1,
                   0, "longer", "a baseline trained equally long"});
  }
  if (options.controls.average) {
    all.push_back({StageKind::second_baseline, -1, "control-second",
                   "a baseline to average with the first", 4, epochs.baseline, "average",
                   "an average of two baselines"});
  }
  if (options.controls.wider) {
    all.push_back({StageKind::wider_baseline, -1, "control-wider",
                   "as many parameters as the mixture has active", 5, epochs.baseline, "wider",
                   "a wider baseline"});
  }
  return all;
}

Stage Stage::of_epochs(int wanted) const {
  Stage stage = *this;
  stage.epochs = wanted;
  stage.title = fmt::format(fmt::runtime(title), wanted);
  return stage;
}

Examples examples_of(const Stage& stage, const Examples& all, const Groups& groups) {
  switch (stage.kind) {
    case StageKind::expert:
      return all.of_group(groups, stage.group);
    case StageKind::gate:
      return all.labelled_by_group(groups);
    default:
      return all;
  }
}

}  // namespace sluice
