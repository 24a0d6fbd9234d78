#include "train/class_weights.h"

#include <gtest/gtest.h>

#include "train/fit_testing.h"

namespace sluice {
namespace {

class ClassWeightsTest : public testing::Test {
 protected:
  // One, two and five images of "a", "b" and "d".
  LabelledImages images_{{1, 1, 3}, std::vector<std::uint8_t>(8 * 3), {0, 1, 1, 3, 3, 3, 3, 3}};
  Examples examples_{images_, kNames};
};

TEST_F(ClassWeightsTest, AreEmptyUnlessAsked) {
  EXPECT_TRUE(class_weights({}, examples_).empty());
}

// sklearn.utils.class_weight.compute_class_weight: n_samples / (n_classes * np.bincount(y)).
TEST_F(ClassWeightsTest, BalanceAsScikitLearnDoes) {
  EXPECT_EQ(class_weights({.balanced = true}, examples_),
            (std::vector<float>{8.f / 3, 8.f / 6, 1, 8.f / 15}));
}

TEST_F(ClassWeightsTest, AreThoseOfTheTable) {
  EXPECT_EQ(class_weights({.of = {{"b", 3}, {"d", 0}, {"another", 7}}}, examples_),
            (std::vector<float>{1, 3, 1, 0}));
}

}  // namespace
}  // namespace sluice
