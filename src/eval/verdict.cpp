#include "sluice/verdict.h"

#include <algorithm>

#include "eval/judge.h"

namespace sluice {

namespace {

/// How one example went.
class Outcome {
 public:
  Outcome(const Answers& answers, std::size_t example)
      : answers_(answers),
        example_(example),
        group_(answers.chosen_group(example)),
        scores_(answers.scores(example, group_)) {}

  int group() const { return group_; }
  const std::vector<float>& scores() const { return scores_; }

  bool frozen_right() const { return right(answers_.frozen); }
  bool expert_right() const { return right(answers_.experts[group_]); }
  bool mixture_right() const { return predicted_class(scores_) == answers_.truth[example_]; }
  bool oracle_right() const {
    const int group = answers_.true_group(example_);
    return predicted_class(answers_.scores(example_, group)) == answers_.truth[example_];
  }
  bool right_group() const { return group_ == answers_.true_group(example_); }

  void add_to(ErrorBudgets& budgets) const {
    add_to(budgets.all);
    add_to(budgets.classes[answers_.truth[example_]]);
    add_to(budgets.groups[answers_.true_group(example_)]);
  }

 private:
  void add_to(ErrorBudget& budget) const {
    (mixture_right()  ? budget.right
     : !right_group() ? budget.wrong_group
     : expert_right() ? budget.overruled
                      : budget.wrong_class) += 1;
    budget.oracle += oracle_right();
    budget.best += expert_right() || frozen_right();
  }

  bool right(std::span<const float> all) const {
    const std::size_t classes = answers_.classes();
    return predicted_class(all.subspan(example_ * classes, classes)) == answers_.truth[example_];
  }

  const Answers& answers_;
  std::size_t example_;
  int group_;                  ///< that the gate chose
  std::vector<float> scores_;  ///< the mixture's
};

ErrorBudgets no_budgets(const Answers& answers) {
  ErrorBudgets budgets;
  budgets.classes.resize(answers.classes());
  budgets.groups.resize(answers.group_names.size());
  return budgets;
}

}  // namespace

ErrorBudgets error_budgets(const Answers& answers) {
  ErrorBudgets budgets = no_budgets(answers);
  for (std::size_t i = 0; i < answers.size(); ++i) Outcome(answers, i).add_to(budgets);
  return budgets;
}

Cost cost_of(const Sequential& model) {
  const std::int64_t parameters = count_parameters(model);
  const double flops = count_flops(model);
  return {parameters, parameters, flops, flops};
}

Cost cost_of(const Mixture& model) {
  Cost cost;
  for (const Sequential* part : {&model.gate, &model.baseline}) {
    cost.active_parameters += count_parameters(*part);
    cost.active_flops += count_flops(*part);
  }
  cost.parameters = count_parameters(model);
  cost.flops = cost.active_flops;
  std::int64_t most_parameters = 0;
  double most_flops = 0;
  for (const Mixture::Branch& branch : model.branches) {
    const double flops = count_flops(branch.expert) + count_flops(branch.importance);
    cost.flops += flops;
    most_flops = std::max(most_flops, flops);
    most_parameters = std::max(
        most_parameters, count_parameters(branch.expert) + count_parameters(branch.importance));
  }
  cost.active_parameters += most_parameters;
  cost.active_flops += most_flops;
  return cost;
}

Verdict judge(const Answers& answers, const Sequential& baseline, const Mixture& model,
              std::uint64_t seed) {
  Verdict verdict;
  std::vector<std::uint8_t> frozen_right, mixture_right;
  std::vector<float> scores;
  verdict.asked.resize(answers.group_names.size());
  verdict.budgets = no_budgets(answers);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Outcome outcome(answers, i);
    frozen_right.push_back(outcome.frozen_right());
    mixture_right.push_back(outcome.mixture_right());
    scores.insert(scores.end(), outcome.scores().begin(), outcome.scores().end());
    outcome.add_to(verdict.budgets);
    ++verdict.asked[outcome.group()];
  }
  const auto n = static_cast<std::int64_t>(answers.size());
  verdict.baseline = share_interval(std::ranges::count(frozen_right, 1), n);
  verdict.mixture = share_interval(std::ranges::count(mixture_right, 1), n);
  verdict.difference = compare(frozen_right, mixture_right, seed);
  verdict.baseline_calibration = calibration(answers.frozen, answers.truth);
  verdict.mixture_calibration = calibration(scores, answers.truth);
  verdict.baseline_cost = cost_of(baseline);
  verdict.mixture_cost = cost_of(model);
  return verdict;
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
