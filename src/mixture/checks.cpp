#include "mixture/checks.h"

#include <set>

#include "base/fail.h"

namespace sluice {

void require_parts_fit(const Mixture& model) {
  const auto require = [](bool fits, const Sequential& part, const std::string& what) {
    if (!fits) throw user_error("model", "{} must have {}", part.name, what);
  };
  const auto outputs = [](const Sequential& part) {
    return element_count(summarize(part).back().output);
  };
  const std::int64_t classes = outputs(model.baseline);
  const auto groups = static_cast<std::int64_t>(model.branches.size());
  if (groups == 0) throw user_error("model", "a mixture must have branches, one for each group");
  require(outputs(model.gate) == groups, model.gate, fmt::format("{} outputs", groups));
  for (const Mixture::Branch& branch : model.branches) {
    require(outputs(branch.expert) == classes, branch.expert, fmt::format("{} outputs", classes));
    require(outputs(branch.importance) == 2 * classes, branch.importance,
            fmt::format("{} outputs", 2 * classes));
  }
  std::set<std::string> names;
  for (const Sequential* part : model.parts()) {
    require(part->input == model.baseline.input, *part, "the baseline's input");
    require(names.insert(part->name).second, *part, "a name of its own");
  }
}

void require_weights_for_parts(const Mixture& model, const MixtureWeights& weights) {
  const std::size_t branches = model.branches.size();
  if (weights.experts.size() == branches && weights.importances.size() == branches) return;
  throw user_error("model",
                   "the mixture has {} branches, but weights of {} experts and {} importance "
                   "models: make them by MixtureWeights(model)",
                   branches, weights.experts.size(), weights.importances.size());
}

}  // namespace sluice
