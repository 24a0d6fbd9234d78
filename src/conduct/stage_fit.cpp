#include "conduct/stage_fit.h"

#include <fmt/format.h>

#include "conduct/stopping.h"

namespace sluice {

namespace {

/// Empties a folder, and returns its path.
const std::filesystem::path& emptied(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return folder;
}

/// Tells what a starved expert gets, and what would help.
std::string hardly_used(const ExpertUse& use, std::size_t expert) {
  const double taken = use.of_all(expert).taken;
  if (use.mixed) {
    return fmt::format(" has {:.2f}% of the mixes of {} validation images: fewer kernels would do",
                       100 * taken / static_cast<double>(use.examples), use.examples);
  }
  return fmt::format(
      " gets {} of {} validation images: a larger balance_loss or bias_rate would give it more",
      taken, use.examples);
}

}  // namespace

EventLog::EventLog(const std::filesystem::path& folder)
    : train_(emptied(folder) / "train"), validation_(folder / "validation") {}

void EventLog::add(int epoch, const Epoch& figures) {
  const auto add = [&](EventFile& file, double loss, double accuracy) {
    // Keras counts epochs from 0.
    file.add_scalar("epoch_loss", epoch - 1, static_cast<float>(loss));
    file.add_scalar("epoch_accuracy", epoch - 1, static_cast<float>(accuracy));
  };
  add(train_, figures.loss, figures.accuracy);
  add(validation_, figures.val_loss, figures.val_accuracy);
}

StageFit::StageFit(const Stage& stage, Checkpoints& checkpoints, RunObserver& observer,
                   int every_steps, const std::optional<std::filesystem::path>& events)
    : stage_(stage.name),
      checkpoints_(checkpoints),
      observer_(observer),
      every_steps_(every_steps) {
  if (events) events_.emplace(*events);
}

void StageFit::on_begin(FitState& state) {
  const auto say = [&](const std::string& line) { observer_.on_note("checkpoint: " + line); };
  if (!checkpoints_.read(stage_, state, say)) return;
  restored_seconds_ = state.history.seconds;
  observer_.on_resumed(state);
}

void StageFit::on_epoch(const Progress& progress, const Epoch& epoch) {
  observer_.on_epoch(progress, epoch);
  if (events_) events_->add(progress.epoch, epoch);
}

void StageFit::on_expert_use(const std::vector<ExpertUse>& layers) {
  std::set<std::string> starved;
  for (const ExpertUse& use : layers) {
    for (const std::size_t expert : starved_experts(use)) {
      const std::string name = use.layer + (use.mixed ? ": kernel " : ": ") + use.experts[expert];
      starved.insert(name);
      if (starved_.contains(name)) continue;
      observer_.on_note(name + hardly_used(use, expert));
    }
  }
  starved_ = std::move(starved);
}

bool StageFit::wants(const FitState& state) {
  constexpr double kMostShare = 0.015;  // of the training time, on any disk
  ++steps_;
  if (state.finished || observer_.should_stop() || steps_ >= every_steps_) return true;
  return state.step == 0 && kMostShare * since_.seconds() >= cost_seconds_;
}

void StageFit::on_state(const FitState& state) {
  const Timer timer;
  checkpoints_.write(stage_, state);
  cost_seconds_ = timer.seconds();
  since_ = Timer();
  steps_ = 0;
  stop_if_wanted(observer_);
}

}  // namespace sluice
