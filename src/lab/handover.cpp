#include "lab/handover.h"

#include <algorithm>

namespace sluice {

namespace {

/// The name of an optimizer's state, of a network's only block of parameters; empty for others.
std::string state_name(const FitState::Block& block) {
  for (const char* name : {"mean", "variance", "momentum"}) {
    if (block.name == std::string(name) + "/0") return name;
  }
  return "";
}

}  // namespace

void Handover::on_begin(FitState& state) {
  if (start_ != nullptr) {
    for (const FitState::Block& block : state.blocks) {
      const auto found = start_->optimizer.find(state_name(block));
      if (found == start_->optimizer.end()) continue;
      Weights its(model_);
      its.take(found->second);
      std::ranges::copy(its.trained(), block.values.begin());
    }
  }
  observer_.on_begin(state);
  keep(state);
}

bool Handover::wants(const FitState& state) {
  keep(state);
  return observer_.wants(state);
}

void Handover::keep(const FitState& state) {
  if (!state.finished || !state.goes_on) return;
  for (const FitState::Block& block : state.blocks) {
    const std::string name = state_name(block);
    if (name.empty()) continue;
    Weights its(model_);
    std::ranges::copy(block.values, its.trained().begin());
    end_.insert_or_assign(name, std::move(its));
  }
}

}  // namespace sluice
