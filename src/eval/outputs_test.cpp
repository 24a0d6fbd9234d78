#include "eval/outputs.h"

#include "sluice/evaluation.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

TEST(ConfusionMatrices, ClassesThatThereAreNot) {
  ConfusionMatrix confusion({"a", "b"});
  confusion.add(1, 0);
  EXPECT_EQ(confusion.count(1, 0), 1);
  for (const int wrong : {-1, 2}) {
    EXPECT_THAT(error_of(Fault::user, [&] { confusion.add(wrong, 0); }), HasSubstr("no class"));
    EXPECT_THAT(error_of(Fault::user, [&] { confusion.add(0, wrong); }), HasSubstr("no class"));
    EXPECT_THAT(error_of(Fault::user, [&] { confusion.count(wrong, 0); }), HasSubstr("no class"));
    EXPECT_THAT(error_of(Fault::user, [&] { confusion.support(wrong); }), HasSubstr("no class"));
  }
}

TEST(Calibrations, ScoresThatDoNotFit) {
  const std::vector<float> scores{.5f, .5f, .1f, .9f};
  EXPECT_THAT(error_of(Fault::user,
                       [&] {
                         calibration(scores, std::vector{0, 1, 1});
                       }),
              HasSubstr("4 scores for 3 labels"));
  EXPECT_THAT(error_of(Fault::user,
                       [&] {
                         calibration(scores, std::vector{0, 2});
                       }),
              HasSubstr("or a label without a score"));
  EXPECT_THAT(error_of(Fault::user,
                       [&] {
                         calibration(scores, std::vector{0, -1});
                       }),
              HasSubstr("or a label without a score"));
  EXPECT_THAT(error_of(Fault::user,
                       [&] {
                         calibration(scores, std::vector{0, 1}, 0);
                       }),
              HasSubstr("0 bins: give at least 1"));
}

}  // namespace
}  // namespace sluice
