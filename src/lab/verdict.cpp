#include "lab/answers.h"

#include <algorithm>

#include "eval/outputs.h"

namespace sluice {

namespace {

/// Outcome of one example.
class Outcome {
 public:
  Outcome(const Answers& answers, std::size_t example)
      : answers_(answers), example_(example), group_(answers.chosen_group(example)) {}

  void add_to(ErrorBudget& budget) const {
    const bool right_group = group_ == answers_.true_group(example_);
    (right(answers_.scores(example_, group_)) ? budget.right
     : !right_group                           ? budget.wrong_group
     : expert_right()                         ? budget.overruled
                                              : budget.wrong_class) += 1;
    budget.oracle += right(answers_.scores(example_, answers_.true_group(example_)));
    budget.best += expert_right() || right(own(answers_.frozen));
  }

 private:
  bool expert_right() const { return right(own(answers_.experts[group_])); }

  bool right(std::span<const float> scores) const {
    return predicted_class(scores) == answers_.truth[example_];
  }
  std::span<const float> own(std::span<const float> all) const {
    return all.subspan(example_ * answers_.classes(), answers_.classes());
  }

  const Answers& answers_;
  std::size_t example_;
  int group_;  ///< chosen by the gate
};

}  // namespace

ErrorBudgets error_budgets(const Answers& answers) {
  require_whole(answers);
  ErrorBudgets budgets;
  budgets.classes.resize(answers.classes());
  budgets.groups.resize(answers.group_names.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Outcome outcome(answers, i);
    outcome.add_to(budgets.all);
    outcome.add_to(budgets.classes[answers.truth[i]]);
    outcome.add_to(budgets.groups[answers.true_group(i)]);
  }
  return budgets;
}

namespace {

Verdict::Standing standing(const Answers& answers, std::span<const float> scores,
                           std::span<const std::uint8_t> right) {
  const auto n = static_cast<std::int64_t>(answers.size());
  const std::int64_t hits = std::ranges::count(right, 1);
  ConfusionMatrix confusion(answers.class_names);
  const std::size_t classes = answers.classes();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    confusion.add(answers.truth[i], predicted_class(scores.subspan(i * classes, classes)));
  }
  return {static_cast<double>(hits) / static_cast<double>(n), share_interval(hits, n),
          calibration(scores, answers.truth), class_balance(confusion)};
}

}  // namespace

Verdict judge(const Answers& answers) {
  Verdict verdict;
  if (answers.group_names.empty() && answers.size() > 0) {
    verdict.baseline =
        standing(answers, answers.frozen, which_right(answers.frozen, answers.truth));
    return verdict;
  }
  require_whole(answers);
  const std::vector<float> scores = answers.mixture();
  const std::vector<std::uint8_t> frozen_right = which_right(answers.frozen, answers.truth);
  const std::vector<std::uint8_t> mixture_right = which_right(scores, answers.truth);
  verdict.baseline = standing(answers, answers.frozen, frozen_right);
  verdict.mixture = standing(answers, scores, mixture_right);
  verdict.difference = compare(frozen_right, mixture_right);
  for (const Answers::Control& control : answers.controls) {
    const std::vector<std::uint8_t> right = which_right(control.scores, answers.truth);
    verdict.controls.push_back({control.name, control.words,
                                standing(answers, control.scores, right),
                                compare(frozen_right, right), compare(right, mixture_right)});
  }
  verdict.budgets = error_budgets(answers);
  verdict.asked.resize(answers.group_names.size());
  for (std::size_t i = 0; i < answers.size(); ++i) ++verdict.asked[answers.chosen_group(i)];
  return verdict;
}

const Verdict::Control* Verdict::best_control() const {
  const auto best = std::ranges::max_element(
      controls, {}, [](const Control& control) { return control.standing.accuracy; });
  return best == controls.end() ? nullptr : &*best;
}

std::vector<int> dead_experts(const Verdict& verdict) {
  std::int64_t examples = 0;
  for (const std::int64_t asked : verdict.asked) examples += asked;
  const auto groups = static_cast<std::int64_t>(verdict.asked.size());
  std::vector<int> dead;
  for (std::size_t g = 0; g < verdict.asked.size(); ++g) {
    if (10 * groups * verdict.asked[g] < examples) dead.push_back(static_cast<int>(g));
  }
  return dead;
}

}  // namespace sluice
