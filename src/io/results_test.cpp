#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <regex>

#include "base/files.h"
#include "io/json_text.h"
#include "sluice/run_folder.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using nlohmann::json;

ModelResult result_of(std::int64_t parameters, double accuracy, double seconds) {
  ConfusionMatrix confusion({"a", "b"});
  confusion.add(0, 0);
  confusion.add(0, 1);
  confusion.add(1, 1);
  ModelResult result{.parameters = parameters,
                     .history = {},
                     .test = {.confusion = confusion, .accuracy = accuracy},
                     .whole = {}};
  result.history.epochs.resize(2);
  result.history.seconds = seconds;
  result.history.images_per_second = 1000;
  result.test.loss = 1.5;
  result.test.images_per_second = 4000;
  return result;
}

Results example() {
  Results results{.experiment = {},
                  .data_name = "CIFAR-10",
                  .data_source = "/data",
                  .class_names = {"a", "b"},
                  .train_images = 50,
                  .test_images = 10,
                  .baseline = result_of(100, 0.5, 10),
                  .experts = {{"left", result_of(90, 0.75, 3)}, {"right", result_of(90, 0.25, 4)}},
                  .gate = result_of(80, 0.875, 5),
                  .mixture = result_of(500, 0.625, 20),
                  .total_seconds = 50};
  results.experts[0].result.whole = results.gate.test;
  results.experiment.groups = {{"left", {"a"}}, {"right", {"b"}}};
  results.experiment.lab.seed = 7;
  return results;
}

TEST(Results, KeysOthersRelyOn) {
  const json root = json::parse(to_json(example()));
  EXPECT_EQ(root.at("baseline").at("accuracy"), 0.5);
  EXPECT_EQ(root.at("mixture").at("accuracy"), 0.625);
  EXPECT_EQ(root.at("gate").at("accuracy"), 0.875);
  EXPECT_EQ(root.at("experts").at("left").at("accuracy"), 0.75);
  EXPECT_EQ(root.at("experts").at("right").at("accuracy"), 0.25);
  EXPECT_EQ(root.at("total_seconds"), 50.0);
  for (const json& model : {root["baseline"], root["gate"], root["mixture"],
                            root["experts"]["left"], root["experts"]["right"]}) {
    EXPECT_GE(model.at("parameters"), 80);
    EXPECT_GE(model.at("seconds"), 3.0);
  }
}

TEST(Results, SayWhatWasMeasuredOnWhat) {
  const json root = json::parse(to_json(example()));
  EXPECT_EQ(root.at("data"), json::parse(R"({"name": "CIFAR-10", "source": "/data",
      "class_names": ["a", "b"], "train_images": 50, "test_images": 10})"));
  EXPECT_EQ(root.at("groups"), json::parse(R"([{"name": "left", "classes": ["a"]},
      {"name": "right", "classes": ["b"]}])"));
  EXPECT_EQ(root.at("seed"), 7);
  EXPECT_EQ(root.at("compute"), to_string(on_this_processor(Compute::automatic)));
  EXPECT_EQ(root.at("experiment").at("learning_rate"), 1e-3);
  EXPECT_EQ(root.at("experiment").at("epochs").at("gate"), 10);
  for (const char* key : {"cpu", "cores", "threads", "memory_bytes", "os"}) {
    EXPECT_TRUE(root.at("machine").contains(key)) << key;
  }
  for (const char* key : {"sluice", "onednn", "compiler"}) {
    EXPECT_NE(root.at("versions").at(key), "") << key;
  }
  EXPECT_GT(root.at("peak_memory_bytes"), 1'000'000);
  EXPECT_TRUE(std::regex_match(root.at("finished_at").get<std::string>(),
                               std::regex(R"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ)")));

  const json baseline = root.at("baseline");
  EXPECT_EQ(baseline.at("loss"), 1.5);
  EXPECT_EQ(baseline.at("epochs"), 2);
  EXPECT_EQ(baseline.at("test_images"), 3);
  EXPECT_EQ(baseline.at("train_images_per_second"), 1000.0);
  EXPECT_EQ(baseline.at("test_images_per_second"), 4000.0);
  EXPECT_EQ(baseline.at("confusion"),
            json::parse(R"({"classes": ["a", "b"], "counts": [[1, 1], [0, 1]]})"));
  EXPECT_EQ(root["experts"]["left"].at("whole_test_set").at("accuracy"), 0.875);
  EXPECT_FALSE(root["experts"]["right"].contains("whole_test_set"));
}

TEST(Results, Comparison) {
  const json comparison = json::parse(to_json(example())).at("comparison");
  EXPECT_EQ(comparison.at("accuracy_difference"), 0.125);
  EXPECT_EQ(comparison.at("parameters_ratio"), 5.0);
  EXPECT_EQ(comparison.at("seconds_baseline"), 10.0);
  EXPECT_EQ(comparison.at("seconds_mixture_all_stages"), 42.0);
  EXPECT_EQ(comparison.at("test_images_per_second_baseline"), 4000.0);
  EXPECT_EQ(comparison.at("test_images_per_second_mixture"), 4000.0);
}

TEST(Results, WhatJsonCannotWrite) {
  Results results = example();
  results.gate.test.loss = std::numeric_limits<double>::quiet_NaN();
  results.mixture.test.loss = std::numeric_limits<double>::infinity();
  results.baseline.parameters = 0;
  results.data_source = "/d\xff/\"\n";
  const json root = json::parse(to_json(results));
  EXPECT_TRUE(root.at("gate").at("loss").is_null());
  EXPECT_TRUE(root.at("mixture").at("loss").is_null());
  EXPECT_TRUE(root.at("comparison").at("parameters_ratio").is_null());
  EXPECT_EQ(root.at("data").at("source"), "/d\xef\xbf\xbd/\"\n");
}

TEST(Results, RowsOfAMatrixAreRows) {
  EXPECT_EQ(json_text({{"m", {{1, 2}, {3, 4}}}, {"e", json::array()}, {"s", "x\n"}}),
            "{\n  \"m\": [\n    [1, 2],\n    [3, 4]\n  ],\n  \"e\": [],\n  \"s\": \"x\\n\"\n}\n");
}

TEST(Results, AreWrittenLast) {
  const ScratchFolder temp;
  const RunFolder run = RunFolder::create(temp / "r", "");
  run.write_results(example());
  EXPECT_TRUE(run.finished());
  EXPECT_EQ(json::parse(read_file(temp / "r" / "results.json", 100'000)).at("seed"), 7);
}

}  // namespace
}  // namespace sluice
