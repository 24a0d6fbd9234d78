#include "sluice/lab/report.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Answers for one example, two classes and two groups.
Answers one_answer() {
  return {.class_names = {"a", "b"},
          .group_names = {"g", "h"},
          .group_of_class = {0, 1},
          .truth = {0},
          .frozen = {.9f, .1f},
          .baseline = {.8f, .2f},
          .gate = {.7f, .3f},
          .experts = {{.6f, .4f}, {.6f, .4f}},
          .importances = {{.1f, .2f, .3f, .4f}, {.1f, .2f, .3f, .4f}},
          .controls = {}};
}

TEST(Explanation, WithAndWithoutTheFrozenBaseline) {
  Answers answers = one_answer();
  EXPECT_THAT(explanation_text(answers, 0), HasSubstr("before *"));
  EXPECT_THAT(explanation_text(answers, 0), HasSubstr("90.0%"));
  answers.frozen.clear();
  EXPECT_THAT(explanation_text(answers, 0), Not(HasSubstr("before")));
  EXPECT_THAT(explanation_text(answers, 0), HasSubstr("80.0%"));
}

TEST(Explanation, OfAnExampleThatThereIsNot) {
  EXPECT_EQ(error_of(Fault::user, [] { explanation_text(one_answer(), 1); }),
            "[report] there is no example 1: there are 1, from 0");
}

}  // namespace
}  // namespace sluice
