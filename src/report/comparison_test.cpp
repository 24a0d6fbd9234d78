#include <gmock/gmock.h>

#include "report/terminal_width.h"
#include "sluice/report.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ModelResult result(double accuracy, std::int64_t parameters, double seconds) {
  ConfusionMatrix confusion({"cat"});
  for (int i = 0; i < 600; ++i) confusion.add(0, 0);
  const History history{{}, seconds, 1000};
  return {parameters, history, {confusion, accuracy, 1.25, 1, 5000}, std::nullopt};
}

Results results(double baseline, double mixture) {
  Results out{
      .experiment = {},
      .data_name = "",
      .data_source = "",
      .class_names = {"cat"},
      .train_images = 5000,
      .test_images = 1000,
      .baseline = result(baseline, 2168362, 50),
      .experts = {{"natural", result(.533, 2168362, 30)}, {"artificial", result(.73, 2168362, 20)}},
      .gate = result(.911, 2164258, 50),
      .mixture = result(mixture, 11836616, 200),
      .total_seconds = 400};
  out.experts[0].result.whole = result(.33, 0, 0).test;
  return out;
}

TEST(ComparisonText, OfTheLab) {
  const std::string text = comparison_text(results(.582, .61));
  EXPECT_EQ(text,
            "                              baseline       mixture      difference\n"
            "Test accuracy                    58.2%         61.0%     +2.8 points\n"
            "Test loss                        1.250         1.250          +0.000\n"
            "Parameters                   2,168,362    11,836,616           x 5.5\n"
            "Training time *                 50.0 s    5 min 50 s           x 7.0\n"
            "Training images/s **             1,000         1,000           x 1.0\n"
            "Test images/s                    5,000         5,000           x 1.0\n"
            "*  mixture: all stages, the baseline's too   ** mixture: its joint training\n"
            "\n"
            "Parts of the mixture, before joint training:\n"
            "  expert-natural                its own classes, 600 images                53.3%\n"
            "                                every class, 600 images                    33.0%\n"
            "  expert-artificial             its own classes, 600 images                73.0%\n"
            "  gate                          which group, 600 images                    91.1%\n"
            "\n"
            "Noise: with 1,000 images an accuracy has a standard error of about 1.6 points,\n"
            "and a difference of two of about 2.2 or less.\n"
            "Did the mixture improve on the baseline? Perhaps: +2.8 points is beyond one\n"
            "standard error but not two, at 5.5 times the parameters and 7.0 times the\n"
            "training time. Other seeds would tell.\n");
  expect_fits_a_terminal(text);
}

TEST(ComparisonText, ClaimsNoMoreThanTheTestImagesShow) {
  EXPECT_THAT(comparison_text(results(.582, .59)), HasSubstr("This run does not show it: +0.8"));
  EXPECT_THAT(comparison_text(results(.582, .575)), HasSubstr("This run does not show it: -0.7"));
  EXPECT_THAT(comparison_text(results(.50, .60)), HasSubstr("Yes in this run: +10.0 points"));
  EXPECT_THAT(comparison_text(results(.60, .50)), HasSubstr("No, it is worse in this run: -10.0"));
  EXPECT_THAT(comparison_text(results(.582, .55)), HasSubstr("Probably not: -3.2 points"));
}

TEST(ComparisonText, MoreImagesShowMore) {
  Results full = results(.60, .62);
  full.test_images = 10000;
  EXPECT_THAT(comparison_text(full), HasSubstr("Yes in this run: +2.0 points"));
}

TEST(ComparisonText, AFewPerfectAnswersProveLittle) {
  Results few = results(.75, 1);
  few.test_images = 4;
  EXPECT_THAT(comparison_text(few), Not(HasSubstr("Yes")));
}

TEST(ComparisonText, OfStagesWithoutTimeHasNoRatio) {
  Results quick = results(.5, .5);
  quick.baseline.history.seconds = 0;
  const std::string text = comparison_text(quick);
  EXPECT_THAT(text, Not(HasSubstr("inf")));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

TEST(ComparisonText, LongGroupsFit) {
  Results odd = results(.5, .6);
  odd.experts[0].group = std::string(200, 'g') + "\n";
  expect_fits_a_terminal(comparison_text(odd));
}

}  // namespace
}  // namespace sluice
