#include "sluice/mixture.h"

namespace sluice {

std::string names::expert(const std::string& group) {
  return "expert-" + group;
}

std::string names::importance(const std::string& group) {
  return "importance-" + group;
}

std::vector<std::string> names::parts(const std::vector<std::string>& groups) {
  std::vector<std::string> parts{kBaseline, kGate};
  for (const std::string& group : groups) parts.push_back(expert(group));
  for (const std::string& group : groups) parts.push_back(importance(group));
  return parts;
}

std::vector<const Sequential*> Mixture::parts() const {
  std::vector<const Sequential*> parts{&baseline, &gate};
  for (const Branch& branch : branches) parts.push_back(&branch.expert);
  for (const Branch& branch : branches) parts.push_back(&branch.importance);
  return parts;
}

std::int64_t count_parameters(const Mixture& model) {
  std::int64_t count = 0;
  for (const Sequential* part : model.parts()) count += count_parameters(*part);
  return count;
}

MixtureWeights::MixtureWeights(const Mixture& model) : baseline(model.baseline), gate(model.gate) {
  for (const Mixture::Branch& branch : model.branches) {
    experts.emplace_back(branch.expert);
    importances.emplace_back(branch.importance);
  }
}

std::vector<Weights*> MixtureWeights::parts() {
  std::vector<Weights*> parts{&baseline, &gate};
  for (Weights& expert : experts) parts.push_back(&expert);
  for (Weights& importance : importances) parts.push_back(&importance);
  return parts;
}

std::vector<const Weights*> MixtureWeights::parts() const {
  const auto parts = const_cast<MixtureWeights*>(this)->parts();
  return {parts.begin(), parts.end()};
}

}  // namespace sluice
