#pragma once

#include "conduct/ranks/messages.h"

namespace sluice {

/// Observes a joint fit: all ranks begin with the state of rank 0, which alone has an observer.
class JointObserver : public FitObserver {
 public:
  JointObserver(Ranks& ranks, FitObserver* observer) : ranks_(ranks), observer_(observer) {}

  void on_begin(FitState& state) override {
    if (observer_ == nullptr)
      return messages::read_state(messages::parsed(ranks_.receive(0)), state);
    observer_->on_begin(state);
    const messages::Json message = messages::of_state(state);
    for (int rank = 1; rank < ranks_.size(); ++rank) messages::send(ranks_, rank, message);
  }
  void on_step(const Progress& progress) override {
    if (observer_ != nullptr) observer_->on_step(progress);
  }
  void on_epoch(const Progress& progress, const Epoch& epoch) override {
    if (observer_ != nullptr) observer_->on_epoch(progress, epoch);
  }
  void on_expert_use(const std::vector<ExpertUse>& layers) override {
    if (observer_ != nullptr) observer_->on_expert_use(layers);
  }
  bool wants(const FitState& state) override {
    return observer_ != nullptr && observer_->wants(state);
  }
  void on_state(const FitState& state) override { observer_->on_state(state); }

 private:
  Ranks& ranks_;
  FitObserver* observer_;
};

}  // namespace sluice
