#include "report/terminal_width.h"
#include "sluice/lab/report.h"

namespace sluice {
namespace {

TEST(ClassificationText, IsATable) {
  ConfusionMatrix confusion({"cat", "dog"});
  for (int i = 0; i < 6; ++i) confusion.add(0, 0);
  for (int i = 0; i < 2; ++i) confusion.add(0, 1);
  for (int i = 0; i < 2; ++i) confusion.add(1, 0);
  for (int i = 0; i < 1990; ++i) confusion.add(1, 1);
  EXPECT_EQ(classification_text(confusion),
            "               precision     recall         F1     images\n"
            "cat                0.750      0.750      0.750          8\n"
            "dog                0.999      0.999      0.999      1,992\n"
            "macro mean         0.874      0.874      0.874      2,000\n"
            "weighted mean      0.998      0.998      0.998      2,000\n");
}

TEST(ClassificationText, FitsATerminal) {
  expect_fits_a_terminal(classification_text(ConfusionMatrix({std::string(100, 'x') + "\n", "b"})));
}

}  // namespace
}  // namespace sluice
