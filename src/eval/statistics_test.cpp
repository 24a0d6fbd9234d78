#include <gtest/gtest.h>

#include <vector>

#include "sluice/error.h"
#include "sluice/evaluation.h"

// Expected figures come from SciPy 1.17, statsmodels 0.15 and scikit-learn 1.9.

namespace sluice {
namespace {

void expect_interval(const Interval& actual, double low, double high, double tolerance = 1e-12) {
  EXPECT_NEAR(actual.low, low, tolerance);
  EXPECT_NEAR(actual.high, high, tolerance);
}

TEST(Spread, IsTheSamples) {
  const Spread spread = spread_of(std::vector<double>{2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_NEAR(spread.mean, 5, 1e-12);
  EXPECT_NEAR(spread.deviation, 2.138089935299395, 1e-12);
  EXPECT_EQ(spread_of(std::vector<double>{3}).deviation, 0);
}

TEST(ShareInterval, IsWilsons) {
  expect_interval(share_interval(624, 1000), 0.5935575899582507, 0.6534933739373315);
  expect_interval(share_interval(1, 3), 0.06149194472039626, 0.7923403991979523);
  expect_interval(share_interval(0, 10), 0, 0.27753279986288926);
  expect_interval(share_interval(10, 10), 0.7224672001371106, 1);
  expect_interval(share_interval(0, 0), 0, 1);
  for (int n = 1; n <= 1000; ++n) {
    EXPECT_GE(share_interval(0, n).low, 0) << n;
    EXPECT_LE(share_interval(n, n).high, 1) << n;
  }
}

/// Two classifiers that differ on the given numbers of n examples.
PairedComparison comparison(std::size_t only_first, std::size_t only_second, std::size_t n) {
  std::vector<std::uint8_t> first(n, 1), second(n, 1);
  std::fill_n(second.begin(), only_first, 0);
  std::fill_n(first.begin() + only_first, only_second, 0);
  return compare(first, second);
}

TEST(Compare, HasMcNemarsExactTest) {
  EXPECT_NEAR(comparison(40, 64, 1000).p_value, 0.023645635749768208, 1e-12);
  EXPECT_NEAR(comparison(64, 40, 1000).p_value, 0.023645635749768208, 1e-12);
  EXPECT_NEAR(comparison(0, 12, 100).p_value, 0.00048828125, 1e-15);
  EXPECT_NEAR(comparison(310, 402, 10000).p_value, 0.0006386695000365648, 1e-12);
  for (const std::size_t same : {0, 1, 5}) {
    EXPECT_EQ(comparison(same, same, 100).p_value, 1);
  }
}

TEST(Compare, TellsTheDifferenceAndItsScoreInterval) {
  const PairedComparison c = comparison(40, 64, 1000);
  EXPECT_EQ(c.only_first, 40);
  EXPECT_EQ(c.only_second, 64);
  EXPECT_DOUBLE_EQ(c.difference, 0.024);
  expect_interval(c.interval, 0.00408176646, 0.04450282600, 1e-10);
  expect_interval(comparison(64, 40, 1000).interval, -0.04450282600, -0.00408176646, 1e-10);
  expect_interval(comparison(10, 10, 20).interval, -0.4014039836, 0.4014039836, 1e-10);
  expect_interval(comparison(0, 12, 100).interval, 0.06999406437, 0.1981209943, 1e-10);
  // The score test rejects 0 here, the exact test does not (p = .0703). The score interval alone is
  // -0.517 to -0.026, as in Fagerland, Lydersen and Laake 2014.
  expect_interval(comparison(7, 1, 21).interval, -0.5172322764, 0, 1e-10);
}

TEST(Compare, IntervalEndsWhereNoDifferenceIsLeft) {
  expect_interval(comparison(0, 20, 20).interval, 0.6777496839, 1, 1e-10);
  expect_interval(comparison(20, 0, 20).interval, -1, -0.6777496839, 1e-10);
  expect_interval(comparison(1, 0, 1).interval, -1, 0.5869013712, 1e-10);
  // Equal results on all images do not prove equality: the bound is z^2 / (n + z^2).
  expect_interval(comparison(0, 0, 50).interval, -0.07134759913, 0.07134759913, 1e-10);
  expect_interval(comparison(0, 0, 0).interval, -1, 1);
}

TEST(Compare, IntervalHoldsZeroExactlyWhereTheTestDoesNotRejectIt) {
  for (std::size_t first = 0; first <= 300; ++first) {
    for (std::size_t second = 0; second <= first; ++second) {
      const PairedComparison c = comparison(first, second, 601);
      ASSERT_EQ(c.interval.low <= 0 && c.interval.high >= 0, c.may_be_chance())
          << first << " and " << second;
      ASSERT_LE(c.interval.low, c.difference);
      ASSERT_GE(c.interval.high, c.difference);
    }
  }
}

TEST(Compare, RefusesAnswersOfOtherExamples) {
  const std::vector<std::uint8_t> two{1, 0}, three{1, 0, 1};
  EXPECT_THROW(compare(two, three), Error);
}

TEST(Calibration, DividesByTheSumAndTakesTheLog) {
  const std::vector<float> scores{.6f, .3f, .1f,  .2f,  .5f, .3f,  .1f, .1f,
                                  .8f, .4f, .35f, .25f, .9f, .05f, .05f};
  const std::vector<int> labels{0, 2, 2, 1, 0};
  EXPECT_NEAR(calibration(scores, labels).log_loss, 0.6186249239125281, 1e-7);
  std::vector<float> larger;
  for (const float score : scores) larger.push_back(3 * score);
  EXPECT_NEAR(calibration(larger, labels).log_loss, 0.6186249239125281, 1e-7);
  EXPECT_NEAR(calibration(larger, labels).ece, calibration(scores, labels).ece, 1e-6);
  const std::vector<float> certain{1, 0};
  EXPECT_NEAR(calibration(certain, std::vector<int>{1}).log_loss, 16.118095650958319, 1e-9);
}

TEST(Calibration, CountsTheErrorBinByBin) {
  // Confidences .5 (right), .75 (wrong), .75 (right), 1 (right); bins (.25, .5], (.5, .75], (.75,
  // 1].
  const std::vector<float> scores{.5f, .5f, .25f, .75f, .25f, .75f, 0, 1};
  const std::vector<int> labels{0, 0, 1, 1};
  const Calibration c = calibration(scores, labels, 4);
  ASSERT_EQ(c.bins.size(), 4u);
  EXPECT_EQ(c.bins[0].examples, 0);
  EXPECT_EQ(c.bins[1].examples, 1);
  EXPECT_EQ(c.bins[2].examples, 2);
  EXPECT_EQ(c.bins[3].examples, 1);
  EXPECT_DOUBLE_EQ(c.bins[2].accuracy, .5);
  EXPECT_DOUBLE_EQ(c.bins[2].confidence, .75);
  EXPECT_DOUBLE_EQ(c.ece, .25 * .5 + .5 * .25);
}

TEST(ClassBalance, ShowsWhatTheAccuracyHides) {
  ConfusionMatrix confusion({"bus", "cat", "dog", "unseen"});
  for (int i = 0; i < 18; ++i) confusion.add(0, 0);  // bus is named always
  confusion.add(1, 0);
  confusion.add(2, 0);
  const ClassBalance balance = class_balance(confusion);
  EXPECT_DOUBLE_EQ(balance.balanced_accuracy, 1.0 / 3);
  EXPECT_DOUBLE_EQ(balance.macro_f1, classification_report(confusion).macro.f1 * 4 / 3)
      << "a class without examples does not count";
  EXPECT_DOUBLE_EQ(balance.largest_share, 0.9);
  EXPECT_TRUE(balance.is_uneven);
  EXPECT_EQ(balance_in_words(balance),
            "balanced accuracy 33.3%, macro F1 0.316; the largest class has 90.0% of the images");
  for (int i = 0; i < 11; ++i) {
    confusion.add(1, 1);
    confusion.add(2, 2);
  }
  EXPECT_FALSE(class_balance(confusion).is_uneven);
  EXPECT_FALSE(class_balance(ConfusionMatrix({"cat", "dog"})).is_uneven);
}

TEST(ClassificationReport, IsScikitLearns) {
  ConfusionMatrix confusion({"a", "b", "c", "never seen nor called"});
  const std::vector<int> truth{0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2};
  const std::vector<int> called{0, 0, 0, 0, 2, 1, 1, 0, 0, 2, 0, 0};
  for (std::size_t i = 0; i < truth.size(); ++i) confusion.add(truth[i], called[i]);
  const ClassificationReport report = classification_report(confusion);
  EXPECT_DOUBLE_EQ(report.classes[0].precision, .5);
  EXPECT_DOUBLE_EQ(report.classes[0].recall, .8);
  EXPECT_DOUBLE_EQ(report.classes[0].f1, 8 / 13.);
  EXPECT_EQ(report.classes[0].support, 5);
  EXPECT_DOUBLE_EQ(report.classes[2].f1, .4);
  EXPECT_EQ(report.classes[3].precision, 0);
  EXPECT_EQ(report.classes[3].recall, 0);
  EXPECT_EQ(report.classes[3].f1, 0);
  EXPECT_NEAR(report.macro.precision, 2 / 4., 1e-12);
  EXPECT_NEAR(report.weighted.precision, 0.6666666666666666, 1e-12);
  EXPECT_NEAR(report.weighted.recall, 0.5833333333333334, 1e-12);
  EXPECT_NEAR(report.weighted.f1, (5 * 8 / 13. + 4 * 2 / 3. + 3 * .4) / 12, 1e-12);
  EXPECT_EQ(report.weighted.support, 12);
}

}  // namespace
}  // namespace sluice
