#pragma once

#include <map>
#include <string>

#include "sluice/lab/lab.h"

namespace sluice {

/// Observes the fit of a stage for another observer: gives the optimizer the state of the stage
/// before it, unless the other observer restores one, and keeps that of the end for the next stage.
class Handover : public FitObserver {
 public:
  /// Refers to all arguments; `start` may be null.
  Handover(const Sequential& model, const Start* start, FitObserver& observer)
      : model_(model), start_(start), observer_(observer) {}

  /// The optimizer's state at the end; empty unless the next stage goes on with it.
  std::map<std::string, Weights> take() { return std::move(end_); }

  void on_begin(FitState& state) override;
  void on_step(const Progress& progress) override { observer_.on_step(progress); }
  void on_epoch(const Progress& progress, const Epoch& epoch) override {
    observer_.on_epoch(progress, epoch);
  }
  void on_expert_use(const std::vector<ExpertUse>& layers) override {
    observer_.on_expert_use(layers);
  }
  bool wants(const FitState& state) override;
  void on_state(const FitState& state) override { observer_.on_state(state); }

 private:
  void keep(const FitState& state);

  const Sequential& model_;
  const Start* start_;
  FitObserver& observer_;
  std::map<std::string, Weights> end_;
};

}  // namespace sluice
