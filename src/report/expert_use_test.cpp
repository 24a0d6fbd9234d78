#include <gmock/gmock.h>

#include "base/text.h"
#include "sluice/lab/report.h"

namespace sluice {
namespace {

Evaluation evaluation(std::size_t experts) {
  Evaluation result{ConfusionMatrix({"cat", "dog", "none"})};
  for (int i = 0; i < 20; ++i) result.confusion.add(i % 2, 0);
  ExpertUse use{"experts", {}, {}, 20};
  for (std::size_t e = 0; e < experts; ++e) use.experts.push_back("expert" + std::to_string(e));
  use.counts.resize(3 * experts);
  use.counts[0] = {8, 6};             // cats to the first
  use.counts[experts + 1] = {10, 9};  // dogs to the second
  result.experts = {use};
  return result;
}

TEST(ExpertUseText, HasEachClassAndEachExpert) {
  EXPECT_EQ(expert_use_text(evaluation(2)),
            "Experts of 'experts': the part of each class's images that they take, and how\n"
            "many of these are right\n"
            "                            expert0        expert1\n"
            "cat                    80.0%  75.0%    0.0%      -\n"
            "dog                     0.0%      -  100.0%  90.0%\n"
            "all                    40.0%  75.0%   50.0%  90.0%\n");
  EXPECT_EQ(expert_use_text(Evaluation()), "");
}

TEST(ExpertUseText, OfMixedKernelsHasTheirMeanWeights) {
  Evaluation of = evaluation(8);
  of.experts[0].mixed = true;
  const std::string text = expert_use_text(of);
  EXPECT_THAT(text, testing::StartsWith("Kernels of 'experts': their mean weights in the mixes for "
                                        "each class's images\n"));
  EXPECT_THAT(text, testing::HasSubstr("\ncat                   80.0%   0.0%"));
  EXPECT_EQ(std::ranges::count(text, '\n'), 5);  // all eight beside each other
}

TEST(ExpertUseText, OfManyExpertsIsInBlocksOf80Columns) {
  std::istringstream lines(expert_use_text(evaluation(9)));
  int heads = 0;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(display_width(line), 80);
    heads += line.find("expert") != std::string::npos && line.find("Experts") == std::string::npos;
  }
  EXPECT_EQ(heads, 3);
}

TEST(StarvedExperts, TakeLessThanATenthOfAnEvenPart) {
  ExpertUse use{"experts", {"a", "b", "c", "d"}, {{400, 1}, {380, 1}, {196, 1}, {24, 1}}, 1000};
  EXPECT_THAT(starved_experts(use), testing::ElementsAre(3));
  use.counts[3].taken = 26;
  EXPECT_THAT(starved_experts(use), testing::IsEmpty());
  EXPECT_THAT(starved_experts({"one", {"a"}, {{3, 1}}, 1000}), testing::IsEmpty());
}

}  // namespace
}  // namespace sluice
