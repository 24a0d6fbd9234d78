#include <fmt/format.h>

#include <algorithm>

#include "base/fail.h"
#include "base/text.h"
#include "sluice/lab/frontier.h"
#include "sluice/lab/lab.h"

namespace sluice {

namespace {

/// Returns the stages before the last one, and that one.
std::vector<Stage> with_earlier(const std::vector<EarlierStage>& before, const Stage& last) {
  constexpr std::uint32_t kFirst = 6;  // random numbers
  constexpr std::size_t kMost = 8;
  if (before.size() > kMost) {
    throw user_error("train", "train.before has {} stages: at most {} are possible", before.size(),
                     kMost);
  }
  std::vector<Stage> all;
  for (const EarlierStage& each : before) {
    const auto is_like = [&](const Stage& other) { return other.name == each.name; };
    if (std::ranges::any_of(all, is_like) || each.name == last.name || each.name == names::kStart) {
      throw user_error("train", "train.before has a stage '{}', which another one is called: {}",
                       one_line(each.name), "give it another name");
    }
    all.push_back({StageKind::earlier, -1, each.name,
                   each.experts ? "all classes" : "the network without experts",
                   kFirst + static_cast<std::uint32_t>(all.size()), each.epochs});
  }
  all.push_back(last);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].keep_optimizer) all[i + 1].epochs_before = all[i].epochs_before + all[i].epochs;
  }
  for (std::size_t i = before.size(); i-- > 0;) {
    if (before[i].keep_optimizer) all[i].epochs_after = all[i + 1].epochs_after + all[i + 1].epochs;
  }
  return all;
}

}  // namespace

std::vector<Stage> stages(const LabOptions& options, const std::vector<Groups::Group>& groups) {
  // A run's results depend on these numbers: a new stage takes an unused one, below the experts'
  // first number.
  constexpr std::uint32_t kExperts = 16;
  const LabOptions::Epochs& epochs = options.epochs;
  if (!options.before.empty() && !groups.empty()) {
    throw user_error(
        "train", "train.before is for one network, and there are groups: leave out one of them");
  }
  std::vector<Stage> all = with_earlier(options.before, {StageKind::baseline, -1, names::kBaseline,
                                                         "all classes", 1, epochs.baseline});
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

const EarlierStage& earlier_stage(const LabOptions& options, const Stage& stage) {
  return *std::ranges::find(options.before, stage.name, &EarlierStage::name);
}

NetworkChoice network_of(const LabOptions& options, const Stage& stage) {
  if (stage.kind != StageKind::earlier) return options.network;
  const EarlierStage& earlier = earlier_stage(options, stage);
  NetworkChoice choice = earlier.experts ? options.network : dense_network(options.network);
  choice.freeze = earlier.freeze;
  return choice;
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
