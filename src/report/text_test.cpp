#include "report/text.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Text, WidthsCountCodePoints) {
  EXPECT_EQ(display_width("猫é"), 2u);
  EXPECT_EQ(cut("automobile", 5), "auto…");
  EXPECT_EQ(cut("ééé", 3), "ééé");
  EXPECT_EQ(cut("ééé", 2), "é…");
  EXPECT_EQ(cut("abc", 0), "");
  EXPECT_EQ(head("ééé", 2), "éé");
  EXPECT_EQ(tail("ééé", 1), "é");
  EXPECT_EQ(left("é", 3), "é  ");
  EXPECT_EQ(right("é", 3), "  é");
}

TEST(Text, LinesBreakAtBlanksAndElseAtTheEdge) {
  EXPECT_EQ(wrapped(std::string(80, 'a')), std::string(80, 'a') + "\n");
  EXPECT_EQ(wrapped(std::string(70, 'a') + " " + std::string(20, 'b')),
            std::string(70, 'a') + "\n" + std::string(20, 'b') + "\n");
  EXPECT_EQ(wrapped(std::string(80, 'a') + " b"), std::string(80, 'a') + "\nb\n");
  EXPECT_EQ(wrapped(std::string(100, 'a')),
            std::string(80, 'a') + "\n" + std::string(20, 'a') + "\n");
}

TEST(Text, Numbers) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1000), "1,000");
  EXPECT_EQ(with_commas(11836616), "11,836,616");
  EXPECT_EQ(with_commas(-123456), "-123,456");
  EXPECT_EQ(percent(.5823), "58.2%");
  EXPECT_EQ(duration(48.24), "48.2 s");
  EXPECT_EQ(duration(59.97), "1 min 00 s");
  EXPECT_EQ(duration(3599.7), "1 h 00 min");
  EXPECT_EQ(images(1), "1 image");
}

}  // namespace
}  // namespace sluice
