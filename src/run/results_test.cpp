#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <regex>

#include "base/files.h"
#include "formats/text/json_text.h"
#include "sluice/lab/run_folder.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using nlohmann::json;

ModelResult result_of(std::int64_t parameters, double accuracy, double seconds) {
  ConfusionMatrix confusion({"a", "b"});
  confusion.add(0, 0);
  confusion.add(0, 1);
  confusion.add(1, 1);
  ModelResult result{.cost = {.parameters = parameters, .active_parameters = parameters},
                     .history = {},
                     .test = {.confusion = confusion, .accuracy = accuracy},
                     .whole = {}};
  result.history.epochs.resize(2);
  result.history.seconds = seconds;
  result.history.cpu_seconds = 2 * seconds;
  result.history.images = 100;
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
                  .left_out = {{".webp", 3}},
                  .baseline = result_of(100, 0.5, 10),
                  .experts = {{"left", result_of(90, 0.75, 3)}, {"right", result_of(90, 0.25, 4)}},
                  .gate = result_of(80, 0.875, 5),
                  .mixture = result_of(500, 0.625, 20),
                  .controls = {{"longer", {.parameters = 100}, {}}},
                  .verdict = {},
                  .part_seconds = {{"baseline", 0.5}, {"gate", 0.25}},
                  .total_seconds = 50};
  results.experts[0].result.whole = results.gate.test;
  Verdict& verdict = results.verdict;
  verdict.mixture.accuracy = 0.625;
  verdict.mixture.interval = {0.5, 0.75};
  verdict.mixture.calibration = {1.25, 0.125, {{10, 0.75, 0.625}}};
  verdict.difference = {1, 2, 0.125, {-0.25, 0.375}, 1};
  verdict.controls = {
      {"longer", "a baseline trained equally long", verdict.mixture, verdict.difference, {}}};
  verdict.budgets.all = {6, 2, 1, 1, 7, 8};
  verdict.budgets.classes = {{3, 0, 0, 0, 3, 3}, {}};
  verdict.budgets.groups = verdict.budgets.classes;
  verdict.asked = {10, 0};
  results.experiment.groups = {{"left", {"a"}}, {"right", {"b"}}};
  results.experiment.lab.seed = 7;
  return results;
}

TEST(Results, KeysOthersRelyOn) {
  const json root = json::parse(to_json(example()));
  EXPECT_EQ(root.at("format"), 1);
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
      "class_names": ["a", "b"], "image_shape": [32, 32, 3], "train_images": 50, "test_images": 10,
      "left_out": {".webp": 3}})"));
  EXPECT_EQ(root.at("groups"), json::parse(R"([{"name": "left", "classes": ["a"]},
      {"name": "right", "classes": ["b"]}])"));
  EXPECT_EQ(root.at("seed"), 7);
  EXPECT_EQ(root.at("compute"), to_string(on_this_processor(Compute::automatic)));
  EXPECT_EQ(root.at("experiment").at("learning_rate"), 1e-3);
  EXPECT_EQ(root.at("experiment").at("optimizer"), "adam");
  EXPECT_EQ(root.at("experiment").at("weight_decay"), 0);
  EXPECT_EQ(root.at("experiment").at("schedule"), "constant");
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

TEST(Results, SayWhatItCost) {
  const json root = json::parse(to_json(example()));
  EXPECT_EQ(root.at("mixture_all_stages"),
            json::parse(R"({"seconds": 42.0, "cpu_seconds": 84.0, "images_trained_on": 500})"));
  EXPECT_EQ(root["mixture"].at("active_parameters"), 500);
  EXPECT_EQ(root["baseline"].at("cpu_seconds"), 20.0);
  EXPECT_EQ(root["controls"]["longer"].at("parameters"), 100);
  EXPECT_EQ(root.at("seconds_by_part"), json::parse(R"({"baseline": 0.5, "gate": 0.25})"));
}

TEST(Results, OfOneNetworkHaveNoMixture) {
  Results one = example();
  one.experiment.groups = {};
  one.experts = {};
  one.verdict.baseline.accuracy = 0.5;
  const json root = json::parse(to_json(one));
  for (const char* key : {"experts", "gate", "mixture", "mixture_all_stages", "controls"}) {
    EXPECT_FALSE(root.contains(key)) << key;
  }
  EXPECT_EQ(root.at("verdict").at("sentence"), sentence(one.verdict.baseline));
  EXPECT_EQ(root.at("verdict").at("baseline").at("accuracy"), 0.5);
  EXPECT_FALSE(root.at("verdict").contains("difference"));
}

TEST(Results, TellTheUseOfExpertsAndOfMixedKernels) {
  Results results = example();
  Evaluation& test = results.baseline.test;
  test.confusion = ConfusionMatrix({"a", "b"});
  for (int image = 0; image < 4; ++image) test.confusion.add(0, 0);
  test.experts = {{"blocks", {"one", "two"}, {{3, 2}, {1, 1}, {}, {}}, 4},
                  {"conv", {"0", "1"}, {{3, 3}, {1, 1}, {}, {}}, 4, true}};
  const json baseline = json::parse(to_json(results)).at("baseline");
  EXPECT_EQ(baseline.at("experts"), json::parse(R"({"blocks": {"names": ["one", "two"],
      "images": {"a": [3, 1], "b": [0, 0]}, "right": {"a": [2, 1], "b": [0, 0]}}})"));
  EXPECT_EQ(baseline.at("kernels"), json::parse(R"({"conv": {"a": [0.75, 0.25], "b": []}})"));
}

TEST(Results, TellForHowManyEpochsTheBaselineCostsAsMuch) {
  Results results = example();  // 100 images in each of five stages, 50 an epoch
  results.baseline.cost.training_flops = 10;
  results.gate.cost.training_flops = 10;
  results.mixture.cost.training_flops = 25;
  for (Results::Expert& expert : results.experts) expert.result.cost.training_flops = 5;
  EXPECT_EQ(epochs_for_the_same(results), 11);
}

TEST(Results, HaveTheVerdict) {
  const Results results = example();
  const json verdict = json::parse(to_json(results)).at("verdict");
  EXPECT_EQ(verdict.at("sentence"), sentence(results.verdict));
  EXPECT_EQ(verdict.at("improved"), "not shown");
  EXPECT_EQ(verdict.at("worth_it"), "no");
  EXPECT_EQ(verdict.at("mixture"), json::parse(R"({"accuracy": 0.625, "accuracy_95": [0.5, 0.75],
      "balanced_accuracy": 0.0, "macro_f1": 0.0, "largest_class_share": 0.0,
      "log_loss": 1.25, "ece": 0.125, "reliability": {"columns": ["images", "confidence",
      "accuracy"], "bins": [[10, 0.75, 0.625]]}})"));
  EXPECT_EQ(verdict.at("difference"), json::parse(R"({"accuracy": 0.125,
      "accuracy_95": [-0.25, 0.375], "p_value": 1.0, "only_baseline": 1, "only_mixture": 2})"));
  EXPECT_EQ(verdict["controls"]["longer"]["over_baseline"].at("only_longer"), 2);
  EXPECT_EQ(verdict["controls"]["longer"]["mixture_over_it"].at("p_value"), 1.0);
  EXPECT_EQ(verdict["error_budget"]["all"],
            json::parse(R"({"images": 10, "right": 6, "wrong_group": 2, "overruled": 1,
      "wrong_class": 1, "right_with_perfect_gate": 7, "right_by_expert_or_baseline": 8})"));
  EXPECT_EQ(verdict["error_budget"]["classes"]["a"].at("right"), 3);
  EXPECT_EQ(verdict.at("images_by_expert"), json::parse(R"({"left": 10, "right": 0})"));
  EXPECT_EQ(verdict.at("dead_experts"), json::parse(R"(["right"])"));
}

TEST(Results, WhatJsonCannotWrite) {
  Results results = example();
  results.gate.test.loss = std::numeric_limits<double>::quiet_NaN();
  results.mixture.test.loss = std::numeric_limits<double>::infinity();
  results.data_source = "/d\xff/\"\n";
  const json root = json::parse(to_json(results));
  EXPECT_TRUE(root.at("gate").at("loss").is_null());
  EXPECT_TRUE(root.at("mixture").at("loss").is_null());
  EXPECT_EQ(root.at("data").at("source"), "/d\xef\xbf\xbd/\"\n");
}

TEST(Results, RowsOfAMatrixAreRows) {
  EXPECT_EQ(json_text({{"m", {{1, 2}, {3, 4}}}, {"e", json::array()}, {"s", "x\n"}}),
            "{\n  \"m\": [\n    [1, 2],\n    [3, 4]\n  ],\n  \"e\": [],\n  \"s\": \"x\\n\"\n}\n");
}

TEST(Results, AreWrittenLast) {
  const ScratchFolder temp;
  const RunFolder run = RunFolder::create(temp / "r", Experiment());
  run.write_results(example());
  EXPECT_TRUE(run.finished());
  EXPECT_EQ(json::parse(read_file(temp / "r" / "results.json", 100'000)).at("seed"), 7);
}

}  // namespace
}  // namespace sluice
