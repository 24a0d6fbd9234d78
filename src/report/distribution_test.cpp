#include <gmock/gmock.h>

#include "report/terminal_width.h"
#include "sluice/lab/report.h"

namespace sluice {
namespace {

LabelledImages with_labels(std::vector<int> labels) {
  LabelledImages images{{1, 1, 1}, std::vector<std::uint8_t>(labels.size()), std::move(labels)};
  return images;
}

TEST(DistributionText, CountsSharesAndBalance) {
  const LabelledImages train = with_labels({0, 0, 0, 1});
  const LabelledImages test = with_labels({0, 1});
  const std::vector<std::string> classes{"frog", "cat", "of another group"};
  EXPECT_EQ(distribution_text({train, classes}, {test, classes}),
            "Class    Training   share        Test   share\n"
            "frog            3   75.0%           1   50.0%\n"
            "cat             1   25.0%           1   50.0%\n"
            "Total           4                   2\n"
            "Training images are unbalanced: frog has 3.0 times as many images as cat\n"
            "Test images are balanced\n");
}

TEST(DistributionText, AClassThatOnlyTestHasIsShown) {
  const LabelledImages train = with_labels({0});
  const LabelledImages test = with_labels({0, 1});
  const std::vector<std::string> classes{"cat", "dog"};
  EXPECT_THAT(distribution_text({train, classes}, {test, classes}),
              ::testing::HasSubstr("dog             0    0.0%           1   50.0%\n"));
}

TEST(DistributionText, LongAndStrangeNamesFit) {
  const LabelledImages train = with_labels({0, 0, 0, 1});
  const std::vector<std::string> classes{std::string(200, 'a') + "\n", "\x1b[2J"};
  const std::string text = distribution_text({train, classes}, {train, classes});
  expect_fits_a_terminal(text);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(DistributionText, OfNoImages) {
  const LabelledImages none = with_labels({});
  expect_fits_a_terminal(distribution_text({none, {"cat"}}, {none, {"cat"}}));
}

}  // namespace
}  // namespace sluice
