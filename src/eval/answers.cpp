#include "data/batching.h"
#include "eval/judge.h"
#include "models/sub_gate.h"
#include "sluice/verdict.h"

namespace sluice {

namespace {

/// (examples, outputs)
std::vector<float> outputs_of(const Sequential& model, Weights& weights, const Examples& examples,
                              const CompileOptions& options) {
  const auto compiled = compile(model, weights, options);
  const std::vector<std::uint32_t> rows = in_order(examples.size());
  std::vector<float> all;
  Batch batch;
  for (std::size_t first = 0; first < rows.size(); first += batch.labels.size()) {
    const std::size_t count =
        std::min(rows.size() - first, static_cast<std::size_t>(compiled->max_batch()));
    fill_batch(examples, std::span(rows).subspan(first, count), batch);
    const std::span<const float> outputs = compiled->predict(batch.images, batch.size());
    all.insert(all.end(), outputs.begin(), outputs.end());
  }
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
    return outputs_of(part, its_weights, examples, options);
  };
  answers.frozen = of(baseline, frozen);
  answers.baseline = of(model.baseline, weights.baseline);
  answers.gate = of(model.gate, weights.gate);
  for (std::size_t g = 0; g < model.branches.size(); ++g) {
    answers.experts.push_back(of(model.branches[g].expert, weights.experts[g]));
    answers.importances.push_back(of(model.branches[g].importance, weights.importances[g]));
  }
  return answers;
}

}  // namespace sluice
