#include "data/split.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace sluice {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> numbers(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(fmt::to_string(i));
  return names;
}

TEST(Splits, DependOnTheNamesOnly) {
  const std::vector<std::string> names = numbers(2000);
  std::vector<int> labels(2000);
  for (int i = 0; i < 2000; ++i) labels[i] = i % 2;
  const std::vector<bool> all = split_off(names, labels, 0.2, "test");
  EXPECT_NEAR(static_cast<double>(std::ranges::count(all, true)), 400, 60);
  const std::span half(names.data(), 1000);
  const std::vector<bool> some = split_off(half, std::span(labels).first(1000), 0.2, "test");
  EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin()));
  EXPECT_NE(split_off(names, labels, 0.2, "validation"), all);
  // By Python's hashlib, the fractions of 0 to 3 are .98, .58, .32 and .71: the split of a run must
  // not change.
  EXPECT_THAT(split_off(numbers(4), std::vector<int>(4), 0.33, "test"),
              ElementsAre(false, false, true, false));
  const std::vector<bool> larger = split_off(names, labels, 0.5, "test");
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_LE(all[i], larger[i]);
}

TEST(Splits, LeaveEachClassInBothParts) {
  for (int count = 2; count < 40; ++count) {
    const std::vector<int> labels(count, 3);
    for (const double share : {0.01, 0.99}) {
      const std::vector<bool> off = split_off(numbers(count), labels, share, "test");
      EXPECT_GE(std::ranges::count(off, true), 1) << count;
      EXPECT_GE(std::ranges::count(off, false), 1) << count;
    }
  }
  EXPECT_THAT(split_off(numbers(3), std::vector<int>(3), 1, "test"), ElementsAre(true, true, true));
}

TEST(StratifiedSamples, HaveTheSharesOfTheClasses) {
  std::vector<int> labels;
  for (int i = 0; i < 60; ++i) labels.push_back(i < 30 ? 0 : i < 50 ? 1 : i < 59 ? 2 : 3);
  const auto counts = [&](std::size_t wanted) {
    std::vector<int> taken(4);
    for (const std::size_t row : stratified(labels, wanted)) ++taken[labels[row]];
    return taken;
  };
  EXPECT_THAT(counts(60), ElementsAre(30, 20, 9, 1));
  EXPECT_THAT(counts(12), ElementsAre(6, 4, 1, 1));
  EXPECT_THAT(counts(4), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(counts(0), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(stratified(labels, 4), ElementsAre(0, 30, 50, 59)) << "the first of each";
  for (std::size_t wanted = 0; wanted <= 70; ++wanted) {
    EXPECT_EQ(stratified(labels, wanted).size(), std::min<std::size_t>(wanted, 60));
  }
}

}  // namespace
}  // namespace sluice
