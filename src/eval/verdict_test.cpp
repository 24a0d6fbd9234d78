#include "sluice/verdict.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr int kClasses = 4;

/// Two groups, {a, b} and {c, d}; an importance that takes one of baseline and expert alone.
class AnswersOf {
 public:
  AnswersOf() {
    answers_.class_names = {"a", "b", "c", "d"};
    answers_.group_names = {"left", "right"};
    answers_.group_of_class = {0, 0, 1, 1};
    answers_.experts.resize(2);
    answers_.importances.resize(2);
  }

  struct Example {
    int truth;
    int frozen;
    int asked;     ///< group
    int baseline;  ///< the mixture's own
    int experts[2];
    bool listen_to_expert = true;
  };

  AnswersOf& add(const Example& example) {
    answers_.truth.push_back(example.truth);
    vote(answers_.frozen, example.frozen, kClasses);
    vote(answers_.baseline, example.baseline, kClasses);
    vote(answers_.gate, example.asked, 2);
    for (int g = 0; g < 2; ++g) {
      vote(answers_.experts[g], example.experts[g], kClasses);
      for (int c = 0; c < kClasses; ++c) {
        answers_.importances[g].push_back(example.listen_to_expert ? 0.f : 1.f);
        answers_.importances[g].push_back(example.listen_to_expert ? 1.f : 0.f);
      }
    }
    return *this;
  }

  const Answers& answers() const { return answers_; }

 private:
  static void vote(std::vector<float>& all, int winner, int outputs) {
    for (int c = 0; c < outputs; ++c) all.push_back(c == winner ? 0.7f : 0.3f / (outputs - 1));
  }

  Answers answers_;
};

/// One example of each way to go right or wrong.
AnswersOf one_of_each() {
  AnswersOf all;
  all.add({.truth = 0, .frozen = 1, .asked = 0, .baseline = 1, .experts = {0, 2}});  // right
  all.add({.truth = 0, .frozen = 0, .asked = 1, .baseline = 1, .experts = {0, 3}});  // wrong group
  all.add({.truth = 3,
           .frozen = 2,
           .asked = 1,
           .baseline = 2,
           .experts = {0, 3},
           .listen_to_expert = false});                                              // overruled
  all.add({.truth = 2, .frozen = 3, .asked = 1, .baseline = 3, .experts = {0, 3}});  // wrong class
  // Right although the wrong group was asked: the baseline was listened to.
  all.add({.truth = 1,
           .frozen = 1,
           .asked = 1,
           .baseline = 1,
           .experts = {1, 3},
           .listen_to_expert = false});
  return all;
}

TEST(ErrorBudgets, PutEveryExampleInOnePlace) {
  const ErrorBudgets budgets = error_budgets(one_of_each().answers());
  EXPECT_EQ(budgets.all.right, 2);
  EXPECT_EQ(budgets.all.wrong_group, 1);
  EXPECT_EQ(budgets.all.overruled, 1);
  EXPECT_EQ(budgets.all.wrong_class, 1);
  EXPECT_EQ(budgets.all.oracle, 3) << "the one sent to the wrong group would be right as well";
  EXPECT_EQ(budgets.all.best, 4) << "all but the wrong class: its frozen baseline is wrong too";
  EXPECT_EQ(budgets.groups[0].examples(), 3);
  EXPECT_EQ(budgets.groups[1].examples(), 2);
  EXPECT_EQ(budgets.classes[0].wrong_group, 1);
  EXPECT_EQ(budgets.classes[3].overruled, 1);
}

Mixture two_groups() {
  const Groups groups({{"left", {"a", "b"}}, {"right", {"c", "d"}}}, {"a", "b", "c", "d"});
  return mixture(groups, {32, 32, 3}, kClasses, CnnSize::small);
}

TEST(Verdict, ComparesTheMixtureWithTheFrozenBaseline) {
  const Mixture model = two_groups();
  const Verdict verdict = judge(one_of_each().answers(), model.baseline, model, 1);
  EXPECT_EQ(verdict.difference.only_first, 1);
  EXPECT_EQ(verdict.difference.only_second, 1);
  EXPECT_EQ(verdict.difference.p_value, 1);
  EXPECT_EQ(verdict.asked, (std::vector<std::int64_t>{1, 4}));
  EXPECT_NEAR(verdict.mixture.low, share_interval(2, 5).low, 1e-15);
}

TEST(Cost, CountsWhatOneImageNeeds) {
  const Mixture model = two_groups();
  const Cost one = cost_of(model.baseline);
  const Cost all = cost_of(model);
  EXPECT_EQ(one.parameters, one.active_parameters);
  EXPECT_EQ(all.parameters, count_parameters(model));
  const auto& branch = model.branches[0];
  EXPECT_EQ(all.active_parameters,
            all.parameters - count_parameters(branch.expert) - count_parameters(branch.importance));
  EXPECT_DOUBLE_EQ(all.active_flops,
                   all.flops - count_flops(branch.expert) - count_flops(branch.importance));
  // conv1.1: 32 x 32 pixels of 32 filters over 3 x 3 x 3 values, two operations each.
  EXPECT_GT(one.flops, 2. * 32 * 32 * 32 * 27);
  EXPECT_DOUBLE_EQ(summarize(model.baseline)[0].flops(), 2. * 32 * 32 * 32 * 27);
}

TEST(DeadExperts, AreThoseHardlyAsked) {
  Verdict verdict;
  verdict.asked = {951, 49};
  EXPECT_EQ(dead_experts(verdict), std::vector<int>{1});
  verdict.asked = {950, 50};
  EXPECT_TRUE(dead_experts(verdict).empty());
}

}  // namespace
}  // namespace sluice
