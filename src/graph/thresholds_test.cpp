#include "graph/thresholds.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice {
namespace {

TEST(Thresholds, AreThePercentilesOfTheConfidences) {
  std::vector<float> confidences;
  for (int i = 0; i < 1000; ++i) confidences.push_back(static_cast<float>(i * 7 % 1000) / 1000);
  const std::vector<float> thresholds = thresholds_of(confidences);
  const auto below = [&](double share) {
    return std::ranges::count_if(confidences, [&](float confidence) {
      return confidence < threshold_for(thresholds, share);
    });
  };
  EXPECT_EQ(below(0), 0);
  EXPECT_EQ(below(0.01), 10);
  EXPECT_EQ(below(0.46), 460);
  EXPECT_NEAR(below(0.255), 255, 1);
  EXPECT_EQ(below(1), 1000);
  // Also what no validation image had.
  EXPECT_GE(0.F, threshold_for(thresholds, 0));
  EXPECT_LT(1.F, threshold_for(thresholds, 1));
}

}  // namespace
}  // namespace sluice
