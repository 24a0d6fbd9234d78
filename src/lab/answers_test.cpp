#include "sluice/lab/verdict.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

/// Returns answers for two examples, two classes and two groups.
Answers two_answers() {
  return {.class_names = {"a", "b"},
          .group_names = {"g", "h"},
          .group_of_class = {0, 1},
          .truth = {0, 1},
          .frozen = {.9f, .1f, .2f, .8f},
          .baseline = {.9f, .1f, .2f, .8f},
          .gate = {.9f, .1f, .2f, .8f},
          .experts = {{.9f, .1f, .2f, .8f}, {.9f, .1f, .2f, .8f}},
          .importances = {std::vector<float>(8, .1f), std::vector<float>(8, .1f)},
          .controls = {}};
}

TEST(Judge, AnswersThatDoNotFitTogether) {
  EXPECT_EQ(judge(two_answers()).mixture.accuracy, 1);
  const auto refused = [](const auto& change) {
    Answers answers = two_answers();
    change(answers);
    for (const bool whole : {true, false}) {
      EXPECT_THAT(error_of(Fault::user,
                           [&] { whole ? (void)judge(answers) : (void)error_budgets(answers); }),
                  HasSubstr("do not fit together: get them by ask()"));
    }
  };
  refused([](Answers& answers) { answers = {}; });
  refused([](Answers& answers) { answers.truth[0] = 2; });
  refused([](Answers& answers) { answers.truth.pop_back(); });
  refused([](Answers& answers) { answers.frozen.pop_back(); });
  refused([](Answers& answers) { answers.baseline.clear(); });
  refused([](Answers& answers) { answers.gate.resize(2); });
  refused([](Answers& answers) { answers.experts.pop_back(); });
  refused([](Answers& answers) { answers.importances[1].pop_back(); });
  refused([](Answers& answers) { answers.group_of_class[1] = -1; });
  refused([](Answers& answers) { answers.controls.push_back({"x", "x", {.1f}}); });
}

}  // namespace
}  // namespace sluice
