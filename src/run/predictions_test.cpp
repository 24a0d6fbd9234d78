#include <gtest/gtest.h>

#include "sluice/lab/run_folder.h"

namespace sluice {
namespace {

TEST(Predictions, AreARowForEachImage) {
  const Answers answers{
      .class_names = {"cat", "a \"b\", c"},
      .group_names = {"one", "other"},
      .group_of_class = {0, 1},
      .truth = {0, 1},
      .files = {"test/cat/1.jpg", "test/b/2,\"x\".jpg"},
      .frozen = {.75f, .25f, .5f, .5f},
      .baseline = {.5f, .5f, 1, 0},
      .gate = {1, 0, .25f, .75f},
      .experts = {{1, 0, 1, 0}, {0, 1, 0, 1}},
      // The output is that of the expert only, at half weight.
      .importances = {{0, .5f, 0, .5f, 0, .5f, 0, .5f}, {0, .5f, 0, .5f, 0, .5f, 0, .5f}},
      .controls = {{"wider", "", {.125f, .875f, 1, 0}}}};
  EXPECT_EQ(predictions_csv(answers),
            "image,truth,gate,baseline,mixture,wider,gate:one,gate:other,"
            "baseline:cat,\"baseline:a \"\"b\"\", c\",mixture:cat,\"mixture:a \"\"b\"\", c\","
            "wider:cat,\"wider:a \"\"b\"\", c\",file\n"
            "0,cat,one,cat,cat,\"a \"\"b\"\", c\",1,0,0.75,0.25,1,0,0.125,0.875,test/cat/1.jpg\n"
            "1,\"a \"\"b\"\", c\",other,cat,\"a \"\"b\"\", c\",cat,0.25,0.75,0.5,0.5,0,1,1,0,"
            "\"test/b/2,\"\"x\"\".jpg\"\n");
}

TEST(Predictions, NoNameIsAFormulaOfASpreadsheet) {
  Answers answers{.class_names = {"=cmd|'/c calc'!A0", "@SUM(A1)"},
                  .group_names = {"-1", "+1"},
                  .group_of_class = {0, 1},
                  .truth = {0, 1},
                  .frozen = {1, 0, 1, 0},
                  .baseline = {1, 0, 1, 0},
                  .gate = {1, 0, 0, 1},
                  .experts = {{1, 0, 1, 0}, {1, 0, 1, 0}},
                  .importances = {{0, 1, 0, 1, 0, 1, 0, 1}, {0, 1, 0, 1, 0, 1, 0, 1}},
                  .controls = {}};
  EXPECT_EQ(predictions_csv(answers),
            "image,truth,gate,baseline,mixture,gate:-1,gate:+1,"
            "baseline:=cmd|'/c calc'!A0,baseline:@SUM(A1),mixture:=cmd|'/c calc'!A0,"
            "mixture:@SUM(A1),file\n"
            "0,\"'=cmd|'/c calc'!A0\",\"'-1\",\"'=cmd|'/c calc'!A0\",\"'=cmd|'/c calc'!A0\","
            "1,0,1,0,1,0,\n"
            "1,\"'@SUM(A1)\",\"'+1\",\"'=cmd|'/c calc'!A0\",\"'=cmd|'/c calc'!A0\","
            "0,1,1,0,1,0,\n");
  answers.files = {"\t=1.jpg", "=2.jpg"};
  const std::string text = predictions_csv(answers);
  EXPECT_NE(text.find(",\"'\t=1.jpg\"\n"), std::string::npos);
  EXPECT_NE(text.find(",\"'=2.jpg\"\n"), std::string::npos);
}

}  // namespace
}  // namespace sluice
