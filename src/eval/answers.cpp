#include "eval/judge.h"
#include "models/sub_gate.h"
#include "sluice/verdict.h"

namespace sluice {

namespace {

/// (examples, outputs)
std::vector<float> outputs_of(CompiledModel& model, const Examples& examples) {
  std::vector<float> all;
  predict_in_batches(model, examples, [&](const Batch&, std::span<const float> outputs) {
    all.insert(all.end(), outputs.begin(), outputs.end());
  });
  return all;
}

}  // namespace

int Answers::chosen_group(std::size_t example) const {
  const std::size_t groups = group_names.size();
  return sluice::chosen_group(std::span(gate).subspan(example * groups, groups));
}

std::vector<float> Answers::scores(std::size_t example, int group) const {
  const std::size_t first = example * classes();
  std::vector<float> result(classes());
  sub_gate(&baseline[first], &experts[group][first], &importances[group][2 * first],
           static_cast<int>(classes()), result.data());
  return result;
}

Answers ask(const Sequential& baseline, Weights& frozen, const Mixture& model,
            MixtureWeights& weights, const Groups& groups, const Examples& examples,
            const CompileOptions& options) {
  Answers answers;
  answers.class_names = examples.class_names();
  answers.group_names = groups.names();
  answers.group_of_class = groups.of_classes();
  for (std::size_t i = 0; i < examples.size(); ++i) answers.truth.push_back(examples.label(i));
  const auto of = [&](const Sequential& part, Weights& its_weights) {
    return outputs_of(*compile(part, its_weights, options), examples);
  };
  const auto by_class = [&](const Sequential& part, Weights& its_weights) {
    const auto compiled = compile(part, its_weights, options);
    require_output_for_each_class(*compiled, examples);
    return outputs_of(*compiled, examples);
  };
  answers.frozen = by_class(baseline, frozen);
  answers.baseline = by_class(model.baseline, weights.baseline);
  answers.gate = of(model.gate, weights.gate);
  for (std::size_t g = 0; g < model.branches.size(); ++g) {
    answers.experts.push_back(by_class(model.branches[g].expert, weights.experts[g]));
    answers.importances.push_back(of(model.branches[g].importance, weights.importances[g]));
  }
  return answers;
}

}  // namespace sluice
