#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "sluice/lab/run.h"

namespace sluice {

/// Observes a work that runs beside others, on its thread. It keeps all reports but on_step() for
/// pass_on() on another thread, and knows how far the work is.
class Relay : public RunObserver {
 public:
  /// Refers to the mark that ends the work.
  explicit Relay(const std::atomic<bool>& stops) : stops_(stops) {}

  bool should_stop() override { return stops_; }
  void on_note(const std::string& line) override;
  void on_begin(const RunStart& start) override;
  void on_stage(const StageStart& start) override;
  void on_resumed(const FitState& state) override;
  void on_step(const Progress& progress) override;
  void on_epoch(const Progress& progress, const Epoch& epoch) override;
  void on_model(const Stage& stage, const ModelResult& result,
                const std::vector<LayerProfile>& profile) override;
  void on_groups(const ClassConfusions& confusions,
                 const std::vector<Groups::Group>& groups) override;
  void on_results(const Results& results) override;

  /// Reports to the observer what was kept since the last call.
  void pass_on(RunObserver& observer);

  Progress progress() const;
  /// Parts of the whole work.
  struct Shares {
    double done = 0;
    double done_now = 0;  ///< without what a checkpoint had
  };
  Shares shares() const;

 private:
  using Report = std::function<void(RunObserver&)>;
  void keep(Report report);

  const std::atomic<bool>& stops_;
  mutable std::mutex mutex_;  ///< guards the members below
  std::vector<Report> kept_;
  Progress progress_;
  int stage_ = 1;
  int stages_ = 1;
  double done_ = 0;
  double done_at_first_ = -1;  ///< at the first step; negative before it
};

}  // namespace sluice
