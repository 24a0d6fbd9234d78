#include "conduct/relay.h"

#include <algorithm>
#include <utility>

namespace sluice {

void Relay::keep(Report report) {
  const std::lock_guard lock(mutex_);
  kept_.push_back(std::move(report));
}

void Relay::on_note(const std::string& line) {
  keep([line](RunObserver& observer) { observer.on_note(line); });
}

void Relay::on_begin(const RunStart& start) {
  // The data outlives the work; the rest does not.
  keep([folder = start.folder, &data = start.data, train = start.train,
        test = start.test](RunObserver& observer) {
    observer.on_begin({folder, data, train, test});
  });
}

void Relay::on_stage(const StageStart& start) {
  keep([stage = start.stage, number = start.number, count = start.count, train = start.train,
        test = start.test, model = start.model](RunObserver& observer) {
    observer.on_stage({stage, number, count, train, test, model});
  });
  const std::lock_guard lock(mutex_);
  stage_ = start.number;
  stages_ = std::max(start.number, start.count);
}

void Relay::on_resumed(const FitState& state) {
  FitState kept = state;
  kept.blocks.clear();  // they refer to memory of the fit
  keep([kept = std::move(kept)](RunObserver& observer) { observer.on_resumed(kept); });
}

void Relay::on_step(const Progress& progress) {
  const std::lock_guard lock(mutex_);
  progress_ = progress;
  const double epochs_done = progress.epoch - 1 + double(progress.step) / progress.steps;
  done_ = (stage_ - 1 + epochs_done / progress.epochs) / stages_;
  if (done_at_first_ < 0) done_at_first_ = done_;
}

void Relay::on_epoch(const Progress& progress, const Epoch& epoch) {
  keep([progress, epoch](RunObserver& observer) { observer.on_epoch(progress, epoch); });
}

void Relay::on_model(const Stage& stage, const ModelResult& result,
                     const std::vector<LayerProfile>& profile) {
  keep([stage, result, profile](RunObserver& observer) {
    observer.on_model(stage, result, profile);
  });
}

void Relay::on_groups(const ClassConfusions& confusions, const std::vector<Groups::Group>& groups) {
  keep([confusions, groups](RunObserver& observer) { observer.on_groups(confusions, groups); });
}

void Relay::on_results(const Results& results) {
  keep([results](RunObserver& observer) { observer.on_results(results); });
}

void Relay::pass_on(RunObserver& observer) {
  std::vector<Report> reports;
  {
    const std::lock_guard lock(mutex_);
    reports.swap(kept_);
  }
  for (const Report& report : reports) report(observer);
}

Progress Relay::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

Relay::Shares Relay::shares() const {
  const std::lock_guard lock(mutex_);
  return {done_, done_at_first_ < 0 ? 0 : done_ - done_at_first_};
}

}  // namespace sluice
