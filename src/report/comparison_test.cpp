#include <gmock/gmock.h>

#include "report/terminal_width.h"
#include "sluice/lab/report.h"

namespace sluice {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

ModelResult result(double accuracy, const Cost& cost, double seconds) {
  ConfusionMatrix confusion({"cat"});
  for (int i = 0; i < 600; ++i) confusion.add(0, 0);
  const History history{{}, 0, seconds, 2 * seconds, 50000, 1000};
  return {cost, history, {confusion, accuracy, 1.25, 1, 5000}, std::nullopt, seconds / 100};
}

const Cost kCnn{2168362, 2168362, 25.4e6, 25.4e6, 76.2e6};

Results results() {
  Results out{
      .experiment = {.groups = {{"natural", {"cat"}}, {"artificial", {"ship"}}}},
      .data_name = "",
      .data_source = "",
      .class_names = {"cat"},
      .train_images = 5000,
      .test_images = 1000,
      .baseline = result(.582, kCnn, 50),
      .experts = {{"natural", result(.533, kCnn, 30)}, {"artificial", result(.73, kCnn, 20)}},
      .gate = result(.911, kCnn, 50),
      .mixture = result(.61, {11836616, 8084618, 140e6, 85.4e6, 200e6}, 200),
      .controls = {},
      .verdict = {},
      .part_seconds = {{"baseline", 1},
                       {"gate", 1},
                       {"expert-natural", .75},
                       {"importance-natural", .25},
                       {"expert-artificial", 1}},
      .total_seconds = 400};
  out.experts[0].result.whole = result(.33, {}, 0).test;
  Verdict& verdict = out.verdict;
  verdict.baseline = {.582, {.551, .612}, {1.25, .056, {}}};
  verdict.mixture = {.61, {.579, .640}, {1.5, .125, {}}};
  verdict.difference = {100, 128, .028, {-.002, .058}, .07};
  verdict.budgets.all = {610, 60, 30, 300, 640, 700};
  verdict.asked = {580, 420};
  return out;
}

void add_control(Results& out, const std::string& words, double gain, double p_value) {
  out.controls.push_back({"", kCnn, result(0, {}, 330).history});
  out.verdict.controls.push_back({"",
                                  words,
                                  {.582 + gain, {}, {}},
                                  {0, 0, gain, {}, p_value},
                                  {0, 0, .028 - gain, {}, p_value}});
}

TEST(ComparisonText, OfOneNetwork) {
  Results one = results();
  one.experiment.groups = {};
  const std::string text = comparison_text(one);
  EXPECT_THAT(text,
              StartsWith("Test accuracy                    58.2%\n  95% interval              "
                         "55.1-61.2%\nLog loss                         1.250\n"));
  EXPECT_THAT(text, EndsWith("\n\nThe network classifies 58.2% of the test images correctly (95% "
                             "interval 55.1 to\n61.2%).\n"));
  EXPECT_THAT(text, Not(HasSubstr("mixture")));
  EXPECT_THAT(text, Not(HasSubstr("iews")));
  one.experiment.views = Views::mirror_shift;
  const std::string with_views = comparison_text(one);
  EXPECT_THAT(with_views, HasSubstr("\nViews of each image *     mirror+shift\n"));
  EXPECT_THAT(with_views,
              HasSubstr("\n* combined for the test; MFLOP and latency are of one view\n\nThe"));
}

TEST(ComparisonText, OfTheLab) {
  const std::string text = comparison_text(results());
  EXPECT_EQ(text,
            "                              baseline       mixture      difference\n"
            "Test accuracy                    58.2%         61.0%     +2.8 points\n"
            "  95% interval              55.1-61.2%    57.9-64.0%    -0.2 to +5.8\n"
            "Log loss                         1.250         1.500          +0.250\n"
            "Calibration error (ECE)          0.056         0.125          +0.069\n"
            "Parameters                   2,168,362    11,836,616           x 5.5\n"
            "  active per image           2,168,362     8,084,618           x 3.7\n"
            "MFLOP per image                     25            85           x 3.4\n"
            "Latency of one image            0.5 ms        2.0 ms           x 4.0\n"
            "Test images/s                    5,000         5,000           x 1.0\n"
            "Training time *                 50.0 s    5 min 50 s           x 7.0\n"
            "  processor time *          1 min 40 s   11 min 40 s           x 7.0\n"
            "Images trained on *             50,000       250,000           x 5.0\n"
            "* the mixture's figures include all stages, also the baseline's\n"
            "\n"
            "Parts of the mixture, before joint training:\n"
            "  expert-natural                its own classes, 600 images                53.3%\n"
            "                                every class, 600 images                    33.0%\n"
            "  expert-artificial             its own classes, 600 images                73.0%\n"
            "  gate                          which group, 600 images                    91.1%\n"
            "\n"
            "Error budget of the mixture, 1,000 images:\n"
            "  right                                                           610      61.0%\n"
            "  wrong: the gate chose another group's expert                     60       6.0%\n"
            "  wrong: the expert was right, but was overruled                   30       3.0%\n"
            "  wrong: the expert of the right group was wrong                  300      30.0%\n"
            "  would be right with a perfect gate                              640      64.0%\n"
            "  would be right by the better of expert and baseline             700      70.0%\n"
            "  routed to expert-natural (25.0% of the time)                    580      58.0%\n"
            "  routed to expert-artificial (25.0% of the time)                 420      42.0%\n"
            "\n"
            "The mixture gains 2.8 points over the baseline, which may be chance (p = .070,\n"
            "95% interval -0.2 to +5.8).\n"
            "\n"
            "Has performance improved? This run does not show it.\n"
            "Was it worth 5.5 times the parameters and 7.0 times the training time? This run\n"
            "does not show it. Train with --controls to compare it with baselines of equal\n"
            "cost.\n");
  expect_fits_a_terminal(text);
}

TEST(ComparisonText, WithControls) {
  Results tried = results();
  tried.verdict.difference.p_value = .01;
  add_control(tried, "a baseline trained equally long", .035, .02);
  add_control(tried, "a wider baseline", -.1, .5);
  const std::string text = comparison_text(tried);
  EXPECT_THAT(
      text, HasSubstr("Controls                        accuracy over baseline  parameters      "
                      "training\n"
                      "a baseline trained equally long    61.7%   +3.5 points   2,168,362    5 min "
                      "30 s\n"
                      "a wider baseline                   48.2%  -10.0 points   2,168,362    5 min "
                      "30 s\n"
                      "\n"
                      "The mixture gains 2.8 points over the baseline (p = .010), but a baseline\n"
                      "trained equally long gains 3.5 points.\n"
                      "\n"
                      "Has performance improved? Yes.\n"
                      "Was it worth 5.5 times the parameters and 7.0 times the training time? "
                      "No.\n"));
  expect_fits_a_terminal(text);
}

TEST(ComparisonText, WarnsOfAnExpertThatIsHardlyAsked) {
  Results odd = results();
  odd.verdict.asked = {997, 3};
  EXPECT_THAT(comparison_text(odd),
              HasSubstr("Warning: the gate rarely chooses expert-artificial."));
  EXPECT_THAT(comparison_text(results()), Not(HasSubstr("Warning")));
}

TEST(ComparisonText, OfStagesWithoutTimeHasNoRatio) {
  Results quick = results();
  quick.baseline.history.seconds = quick.baseline.latency_ms = 0;
  quick.part_seconds = {};
  const std::string text = comparison_text(quick);
  EXPECT_THAT(text, Not(HasSubstr("inf")));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

TEST(ComparisonText, LongGroupsFit) {
  Results odd = results();
  odd.experts[0].group = std::string(200, 'g') + "\n";
  odd.verdict.asked = {0, 1000};
  expect_fits_a_terminal(comparison_text(odd));
}

}  // namespace
}  // namespace sluice
