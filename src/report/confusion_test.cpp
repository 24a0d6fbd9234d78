#include "report/confusion.h"

#include <gmock/gmock.h>

#include "report/terminal_width.h"
#include "sluice/lab/report.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

void add(ConfusionMatrix& confusion, int truth, int prediction, int count) {
  for (int i = 0; i < count; ++i) confusion.add(truth, prediction);
}

TEST(ConfusionText, OfThreeClasses) {
  ConfusionMatrix confusion({"cat", "dog", "automobile"});
  add(confusion, 0, 0, 60);
  add(confusion, 0, 1, 34);
  add(confusion, 1, 0, 5);
  add(confusion, 1, 1, 95);
  add(confusion, 2, 2, 9);
  add(confusion, 2, 0, 1);
  EXPECT_EQ(confusion_text(confusion),
            "               predicted as\n"
            "true              cat        dog automobile  recall\n"
            "cat                60         34          0   63.8%\n"
            "dog                 5         95          0   95.0%\n"
            "automobile          1          0          9   90.0%\n"
            "Accuracy 80.4% (164 of 204 images); most confused: cat -> dog 34, dog -> cat 5,\n"
            "  automobile -> cat 1.\n");
}

TEST(ConfusionText, OfTwoClassesHasNoPairs) {
  ConfusionMatrix confusion({"natural", "artificial"});
  add(confusion, 0, 1, 1);
  add(confusion, 1, 1, 1);
  EXPECT_THAT(confusion_text(confusion), HasSubstr("Accuracy 50.0% (1 of 2 images).\n"));
  EXPECT_THAT(confusion_text(confusion), Not(HasSubstr("confused")));
}

TEST(ConfusionText, ClassesOfAnotherGroupAreLeftOutUnlessPredicted) {
  ConfusionMatrix confusion({"cat", "ship", "dog", "truck"});
  add(confusion, 0, 0, 2);
  add(confusion, 2, 1, 1);
  EXPECT_THAT(seen_classes(confusion), ElementsAre(0, 1, 2));
  const std::string text = confusion_text(confusion);
  EXPECT_THAT(text, Not(HasSubstr("truck")));
  EXPECT_THAT(text, HasSubstr("ship      0      0      0       -\n"));
}

TEST(ConfusionText, OfTenClassesCutsTheirNames) {
  const std::vector<std::string> names{"airplane", "automobile", "bird",  "cat",  "deer",
                                       "dog",      "frog",       "horse", "ship", "truck"};
  ConfusionMatrix confusion(names);
  for (int label = 0; label < 10; ++label) add(confusion, label, label, 1000);
  const std::string text = confusion_text(confusion);
  EXPECT_THAT(text, HasSubstr("true       airpl autom  bird   cat  deer   dog  frog horse  ship "
                              "truck  recall\nairplane    1000     0 "));
  expect_fits_a_terminal(text);
}

TEST(ConfusionText, ColumnsStayDifferentWhereNamesBeginAlike) {
  std::vector<std::string> names;
  for (int label = 0; label < 10; ++label) names.push_back("class_1" + std::to_string(label));
  ConfusionMatrix confusion(names);
  for (int label = 0; label < 10; ++label) confusion.add(label, label);
  EXPECT_THAT(confusion_text(confusion), HasSubstr(" ss_10 ss_11 ss_12"));
}

TEST(ConfusionText, TooManyClassesGiveRecallsAndPairs) {
  std::vector<std::string> names;
  for (int label = 0; label < 20; ++label) names.push_back("class " + std::to_string(label));
  ConfusionMatrix confusion(names);
  for (int label = 0; label < 20; ++label) add(confusion, label, label, 3);
  add(confusion, 7, 3, 1);
  const std::string text = confusion_text(confusion);
  EXPECT_THAT(text, HasSubstr("20 classes: the matrix is too wide to print"));
  EXPECT_THAT(text, HasSubstr("class 7                                     75.0%  3 of 4\n"));
  EXPECT_THAT(text, HasSubstr("most confused: class 7 -> class 3 1.\n"));
  expect_fits_a_terminal(text);
}

TEST(ConfusionText, FitsWhateverTheClasses) {
  for (int classes = 1; classes <= 30; ++classes) {
    std::vector<std::string> names;
    for (int label = 0; label < classes; ++label) {
      names.push_back(std::string(label * 7, 'x') + "é\n" + std::to_string(label));
    }
    ConfusionMatrix confusion(names);
    for (int truth = 0; truth < classes; ++truth) {
      for (int other = 0; other < classes; ++other) add(confusion, truth, other, 1 + truth * 400);
    }
    expect_fits_a_terminal(confusion_text(confusion));
  }
  expect_fits_a_terminal(confusion_text(ConfusionMatrix({"cat", "dog"})));
}

TEST(MostConfused, WorstFirstAndWithoutTheDiagonal) {
  ConfusionMatrix confusion({"a", "b", "c"});
  add(confusion, 0, 0, 9);
  add(confusion, 0, 1, 2);
  add(confusion, 1, 2, 3);
  add(confusion, 2, 0, 2);
  const std::vector<ConfusedPair> pairs = most_confused(confusion, 2);
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].truth, 1);
  EXPECT_EQ(pairs[0].prediction, 2);
  EXPECT_EQ(pairs[0].count, 3);
  EXPECT_EQ(pairs[1].truth, 0);
  EXPECT_EQ(pairs[1].prediction, 1);
}

}  // namespace
}  // namespace sluice
