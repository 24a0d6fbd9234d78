#include <algorithm>

#include "base/fail.h"
#include "eval/outputs.h"
#include "eval/views.h"
#include "lab/answers.h"
#include "mixture/sub_gate.h"

namespace sluice {

namespace {

/// Returns (examples, outputs).
std::vector<float> outputs_of(CompiledModel& model, const Examples& examples,
                              Views views = Views::one) {
  std::vector<float> all;
  const auto add = [&](std::span<const float> outputs) {
    all.insert(all.end(), outputs.begin(), outputs.end());
  };
  if (views == Views::one) {
    predict_in_batches(model, examples,
                       [&](const Batch&, std::span<const float> outputs) { add(outputs); });
  } else {
    predict_views_in_batches(model, examples, views,
                             [&](std::size_t, std::span<const float> outputs) { add(outputs); });
  }
  return all;
}

}  // namespace

void require_whole(const Answers& answers) {
  const std::size_t examples = answers.size();
  const std::size_t classes = answers.classes();
  const std::size_t groups = answers.group_names.size();
  const auto each = [](const std::vector<std::vector<float>>& parts, std::size_t count,
                       std::size_t size) {
    return parts.size() == count &&
           std::ranges::all_of(parts, [&](const auto& part) { return part.size() == size; });
  };
  const auto all_below = [](const std::vector<int>& values, std::size_t end) {
    return std::ranges::all_of(
        values, [&](int value) { return value >= 0 && static_cast<std::size_t>(value) < end; });
  };
  const std::size_t size = examples * classes;
  const bool whole = examples > 0 && groups > 0 && all_below(answers.truth, classes) &&
                     answers.group_of_class.size() == classes &&
                     all_below(answers.group_of_class, groups) && answers.frozen.size() == size &&
                     answers.baseline.size() == size && answers.gate.size() == examples * groups &&
                     each(answers.experts, groups, size) &&
                     each(answers.importances, groups, 2 * size) &&
                     std::ranges::all_of(answers.controls, [&](const Answers::Control& control) {
                       return control.scores.size() == size;
                     });
  if (whole) return;
  throw user_error("verdict",
                   "the answers of {} examples, {} classes and {} groups do not fit together: get "
                   "them by ask()",
                   examples, classes, groups);
}

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

namespace {

/// Returns answers with the facts of the examples, and without outputs.
Answers about(const Examples& examples) {
  Answers answers;
  answers.class_names = examples.class_names();
  answers.truth = examples.labels();
  for (std::size_t i = 0; i < examples.size(); ++i) answers.files.push_back(examples.file(i));
  return answers;
}

}  // namespace

std::vector<float> ask(const Sequential& model, const Weights& weights, const Examples& examples,
                       const CompileOptions& options) {
  const auto compiled = compile_for_inference(model, weights, options);
  require_fit(*compiled, examples);
  return outputs_of(*compiled, examples);
}

Answers ask_alone(const Sequential& model, const Weights& weights, const Examples& examples,
                  const CompileOptions& options, Views views) {
  const auto compiled = compile_for_inference(model, weights, options);
  require_fit(*compiled, examples);
  Answers answers = about(examples);
  answers.frozen = outputs_of(*compiled, examples, views);
  return answers;
}

Answers ask(const Sequential& baseline, const Weights& frozen, const Mixture& model,
            const MixtureWeights& weights, const Groups& groups, const Examples& examples,
            const CompileOptions& options) {
  if (groups.count() != static_cast<int>(model.branches.size())) {
    throw user_error("model", "the mixture has {} branches, but there are {} groups",
                     model.branches.size(), groups.count());
  }
  Answers answers = about(examples);
  answers.group_names = groups.names();
  answers.group_of_class = groups.of_classes();
  const auto of = [&](const Sequential& part, const Weights& its_weights) {
    return outputs_of(*compile_for_inference(part, its_weights, options), examples);
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
