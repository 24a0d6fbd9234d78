#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "report/text.h"
#include "sluice/lab/report.h"

namespace sluice {
namespace {

using testing::HasSubstr;

std::vector<LayerProfile> two_layers() {
  // 2 GFLOP per image: 100 images forward and in both backward passes are 600 in 3 s.
  return {{"cnn", "conv2d", "winograd, avx2", 2e9, 100, 100, 1.0, 0.5, 1.5},
          {"cnn", "max_pooling2d", "", 0, 100, 100, 0.004, 0, 0.003}};
}

TEST(ProfileText, TellsSecondsAndTheRateOfTheDefinition) {
  const std::string text = profile_text(two_layers(), 4);
  EXPECT_THAT(text, HasSubstr("cnn conv2d                winograd, avx2         1.00     0.50     "
                              "1.50      200\n"));
  EXPECT_THAT(text, HasSubstr("1 layers below 1%"));
  EXPECT_THAT(text, HasSubstr("0.99 s outside the layers (Adam, batches, loss), of 4.00\n"));
}

TEST(ProfileText, TellsMillisecondsAStep) {
  const std::string text = profile_text(two_layers(), 4, 100);
  EXPECT_THAT(text, HasSubstr("  10.000    5.000   15.000      200\n"));
  EXPECT_THAT(text, HasSubstr("9.930 ms outside the layers (Adam, batches, loss), of 40.000\n"));
}

TEST(ProfileText, CountsADirectionThatWasNotTakenAsNoWork) {
  auto profile = two_layers();
  profile[0].data_seconds = 0;  // first layer of a network
  profile[0].weights_seconds = 1;
  EXPECT_THAT(profile_text(profile, 4), HasSubstr("     1.00     1.00               200\n"));
}

TEST(ProfileText, FitsATerminal) {
  auto profile = two_layers();
  profile[0].model = "importance-of-a-group-with-a-long-name";
  std::istringstream lines(profile_text(profile, 4));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), kTextWidth);
}

}  // namespace
}  // namespace sluice
