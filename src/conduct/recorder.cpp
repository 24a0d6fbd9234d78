#include "conduct/recorder.h"

#include <algorithm>
#include <utility>

namespace sluice {

void Recorder::keep(Report report) {
  const std::lock_guard lock(mutex_);
  kept_.push_back(std::move(report));
}

void Recorder::on_note(const std::string& line) {
  keep([line](RunObserver& observer) { observer.on_note(line); });
}

void Recorder::on_begin(const RunStart& start) {
  // The data outlives the work; the rest does not.
  keep([folder = start.folder, &data = start.data, train = start.train,
        test = start.test](RunObserver& observer) {
    observer.on_begin({folder, data, train, test});
  });
}

void Recorder::on_stage(const StageStart& start) {
  keep([stage = start.stage, number = start.number, count = start.count, train = start.train,
        test = start.test, model = start.model](RunObserver& observer) {
    observer.on_stage({stage, number, count, train, test, model});
  });
  const std::lock_guard lock(mutex_);
  stage_ = start.number;
  stages_ = std::max(start.number, start.count);
}

void Recorder::on_resumed(const FitState& state) {
  FitState kept = state;
  kept.blocks.clear();  // they refer to memory of the fit
  keep([kept = std::move(kept)](RunObserver& observer) { observer.on_resumed(kept); });
}

void Recorder::on_step(const Progress& progress) {
  const std::lock_guard lock(mutex_);
  progress_ = progress;
  const double epochs_done = progress.epoch - 1 + double(progress.step) / progress.steps;
  done_ = (stage_ - 1 + epochs_done / progress.epochs) / stages_;
  if (done_at_first_ < 0) done_at_first_ = done_;
}

void Recorder::on_epoch(const Progress& progress, const Epoch& epoch) {
  keep([progress, epoch](RunObserver& observer) { observer.on_epoch(progress, epoch); });
}

void Recorder::on_model(const Stage& stage, const ModelResult& result,
                        const std::vector<LayerProfile>& profile) {
  keep([stage, result, profile](RunObserver& observer) {
    observer.on_model(stage, result, profile);
  });
}

void Recorder::on_groups(const ClassConfusions& confusions,
                         const std::vector<Groups::Group>& groups) {
  keep([confusions, groups](RunObserver& observer) { observer.on_groups(confusions, groups); });
}

void Recorder::on_results(const Results& results) {
  keep([results](RunObserver& observer) { observer.on_results(results); });
}

void Recorder::replay(RunObserver& observer) {
  std::vector<Report> reports;
  {
    const std::lock_guard lock(mutex_);
    reports.swap(kept_);
  }
  for (const Report& report : reports) report(observer);
}

Progress Recorder::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

Recorder::Shares Recorder::shares() const {
  const std::lock_guard lock(mutex_);
  return {done_, done_at_first_ < 0 ? 0 : done_ - done_at_first_};
}

}  // namespace sluice
