#include <gtest/gtest.h>

#include "sluice/run_folder.h"

namespace sluice {
namespace {

TEST(Predictions, AreARowForEachImage) {
  const Answers answers{
      .class_names = {"cat", "a \"b\", c"},
      .group_names = {"one", "other"},
      .group_of_class = {0, 1},
      .truth = {0, 1},
      .frozen = {.75f, .25f, .5f, .5f},
      .baseline = {.5f, .5f, 1, 0},
      .gate = {1, 0, .25f, .75f},
      .experts = {{1, 0, 1, 0}, {0, 1, 0, 1}},
      // Each expert is listened to alone, at half weight.
      .importances = {{0, .5f, 0, .5f, 0, .5f, 0, .5f}, {0, .5f, 0, .5f, 0, .5f, 0, .5f}},
      .controls = {{"wider", "", {.125f, .875f, 1, 0}}}};
  EXPECT_EQ(predictions_csv(answers),
            "image,truth,gate,baseline,mixture,wider,gate:one,gate:other,"
            "baseline:cat,\"baseline:a \"\"b\"\", c\",mixture:cat,\"mixture:a \"\"b\"\", c\","
            "wider:cat,\"wider:a \"\"b\"\", c\"\n"
            "0,cat,one,cat,cat,\"a \"\"b\"\", c\",1,0,0.75,0.25,1,0,0.125,0.875\n"
            "1,\"a \"\"b\"\", c\",other,cat,\"a \"\"b\"\", c\",cat,0.25,0.75,0.5,0.5,0,1,1,0\n");
}

}  // namespace
}  // namespace sluice
