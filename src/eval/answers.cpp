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

std::vector<float> Answers::mixture() const {
  std::vector<float> all;
  for (std::size_t i = 0; i < size(); ++i) {
    const std::vector<float> own = scores(i, chosen_group(i));
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

std::vector<float> ask(const Sequential& model, Weights& weights, const Examples& examples,
                       const CompileOptions& options) {
  const auto compiled = compile(model, weights, options);
  require_output_for_each_class(*compiled, examples);
  return outputs_of(*compiled, examples);
}

Answers ask(const Sequential& baseline, Weights& frozen, const Mixture& model,
            MixtureWeights& weights, const Groups& groups, const Examples& examples,
            const CompileOptions& options) {
  Answers answers;
  answers.class_names = examples.class_names();
  answers.group_names = groups.names();
  answers.group_of_class = groups.of_classes();
  for (std::size_t i = 0; i < examples.size(); ++i) {
    answers.truth.push_back(examples.label(i));
    answers.files.push_back(examples.file(i));
  }
  const auto of = [&](const Sequential& part, Weights& its_weights) {
    return outputs_of(*compile(part, its_weights, options), examples);
  };
  answers.frozen = ask(baseline, frozen, examples, options);
  answers.baseline = ask(model.baseline, weights.baseline, examples, options);
  answers.gate = of(model.gate, weights.gate);
  for (std::size_t g = 0; g < model.branches.size(); ++g) {
    answers.experts.push_back(ask(model.branches[g].expert, weights.experts[g], examples, options));
    answers.importances.push_back(of(model.branches[g].importance, weights.importances[g]));
  }
  return answers;
}

}  // namespace sluice
