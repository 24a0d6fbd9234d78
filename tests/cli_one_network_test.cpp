// Tests an experiment without groups, which trains one network.

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/command_line.h"

namespace sluice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kOneNetwork = SLUICE_SOURCE_DIR "/experiments/one-network.toml";

/// Trains one run for all verbs.
class OneNetwork : public CommandLine {
 protected:
  static void SetUpTestSuite() {
    home_ = new ScratchFolder();
    trained_ = new Ended(Program(home_->path(), train_as("runs/one")).wait());
    Program(home_->path(), {"data", "sample", "--data", "builtin", kOneNetwork}).wait();
  }
  static void TearDownTestSuite() {
    delete trained_;
    delete home_;
  }

  static std::vector<std::string> train_as(const std::string& run) {
    std::vector<std::string> all{"train", kOneNetwork,          "--data", "builtin", "--run",
                                 run,     "--checkpoint-steps", "3"};
    all.insert(all.end(), kShort.begin(), kShort.end());
    return all;
  }
  static Ended at_home(std::vector<std::string> arguments) {
    return Program(home_->path(), std::move(arguments)).wait();
  }
  static nlohmann::json results() {
    return nlohmann::json::parse(load(*home_ / "runs/one/results.json"));
  }

  static ScratchFolder* home_;
  static Ended* trained_;
};

ScratchFolder* OneNetwork::home_ = nullptr;
Ended* OneNetwork::trained_ = nullptr;

TEST_F(OneNetwork, TrainsTheBaselineAndReportsItAlone) {
  ASSERT_EQ(trained_->code, 0) << trained_->err;
  EXPECT_LE(widest(trained_->out), 80u);
  for (const char* text : {"1/1 baseline: all classes", "baseline: accuracy", "\nTest accuracy  ",
                           "\nCalibration error (ECE) ", "The network classifies "}) {
    EXPECT_THAT(trained_->out, HasSubstr(text));
  }
  for (const char* text : {"mixture", "gate", "expert", "Has performance improved?"}) {
    EXPECT_THAT(trained_->out, Not(HasSubstr(text)));
  }
}

TEST_F(OneNetwork, LeavesAFolderWithoutPartsOfAMixture) {
  const fs::path run = *home_ / "runs/one";
  for (const char* file :
       {"experiment.toml", "data.json", "results.json", "predictions.csv", "report.html",
        "SHA256SUMS", "baseline/history.csv", "baseline/model.safetensors"}) {
    EXPECT_TRUE(fs::exists(run / file)) << file;
  }
  for (const char* none : {"gate", "mixture", "gallery.json", "checkpoints"}) {
    EXPECT_FALSE(fs::exists(run / none)) << none;
  }
  const nlohmann::json json = results();
  for (const char* none : {"gate", "experts", "mixture", "controls", "seconds_by_part"}) {
    EXPECT_FALSE(json.contains(none)) << none;
  }
  EXPECT_EQ(json["groups"], nlohmann::json::array());
  EXPECT_GT(json["baseline"]["latency_ms"], 0);
  const nlohmann::json& verdict = json["verdict"];
  EXPECT_EQ(verdict["baseline"]["accuracy"], json["baseline"]["accuracy"]);
  EXPECT_THAT(trained_->out, HasSubstr(verdict["sentence"].get<std::string>().substr(0, 40)));

  std::istringstream rows(load(run / "predictions.csv"));
  std::string row;
  std::getline(rows, row);
  EXPECT_EQ(row.substr(0, 41), "image,truth,baseline,baseline:airplane,ba");
  int images = 0;
  int right = 0;
  for (; std::getline(rows, row); ++images) {
    std::vector<std::string> fields;
    std::istringstream cells(row);
    for (std::string cell; std::getline(cells, cell, ',');) fields.push_back(cell);
    right += fields[1] == fields[2];
  }
  ASSERT_EQ(images, 100);
  EXPECT_NEAR(json["baseline"]["accuracy"].get<double>(), right / 100., 1e-9);
}

TEST_F(OneNetwork, EveryVerbKnowsTheRun) {
  const Ended evaluated = at_home({"evaluate", "runs/one"});
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  EXPECT_THAT(evaluated.out, Not(HasSubstr("not in this run")));
  const Ended predicted = at_home({"predict", "runs/one", "samples/cat/0.png"});
  ASSERT_EQ(predicted.code, 0) << predicted.err;
  EXPECT_THAT(predicted.out, HasSubstr("\n  baseline "));
  const Ended exported = at_home({"export", "runs/one"});
  ASSERT_EQ(exported.code, 0) << exported.err;
  EXPECT_TRUE(fs::exists(*home_ / "runs/one/export/baseline.keras"));
  EXPECT_EQ(at_home({"summary", "runs/one"}).out, at_home({"summary", kOneNetwork}).out);
  EXPECT_THAT(at_home({"summary", kOneNetwork}).out, HasSubstr("2,168,362"));
  expect_complaint(at_home({"explain", "runs/one", "samples/cat/0.png"}), 2,
                   "is a network without a gate to explain");
  const std::string page = load(*home_ / "runs/one/report.html");
  EXPECT_THAT(page, HasSubstr("<title>one: report</title>"));
  EXPECT_THAT(page, HasSubstr(results()["verdict"]["sentence"].get<std::string>()));
  ASSERT_EQ(at_home({"report", "runs/one", "--to", "page.html"}).code, 0);
  EXPECT_EQ(load(*home_ / "page.html"), page);
}

TEST_F(OneNetwork, StoppedAndResumedItEndsInTheSameBits) {
  Program first(folder_.path(), train_as("run"));
  for (int i = 0; i < 12'000 && !fs::exists(folder_ / "run/checkpoints"); ++i) usleep(10'000);
  first.signal(SIGINT);
  expect_complaint(first.wait(), 130, "stopped by Ctrl-C");
  const Ended ended = run({"train", "--resume", "run"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  for (const char* file : {"baseline/model.safetensors", "predictions.csv"}) {
    EXPECT_EQ(load(folder_ / "run" / file), load(*home_ / "runs/one" / file)) << file;
  }
}

TEST_F(OneNetwork, ControlsNeedGroups) {
  const std::string fault =
      "[controls] controls are baselines to compare a mixture with, and the experiment has no "
      "[[groups]]: declare groups, or train without controls";
  expect_complaint(run({"train", kOneNetwork, "--controls"}), 2, fault);
  expect_complaint(run({"train", kOneNetwork, "--set", "controls.wider=true"}), 2, fault);
  EXPECT_FALSE(wrote());
}

TEST_F(OneNetwork, AFoldersClassesAreThoseOfItsData) {
  for (const char* half : {"train", "test"}) {
    for (const char* name : {"cat", "dog", "owl"}) {
      const fs::path to = folder_ / "pets" / half / name;
      fs::create_directories(to);
      fs::copy(*home_ / "samples" / (half == std::string("train") ? "cat" : "dog") / "0.png", to);
    }
  }
  const std::vector<std::string> pets{"--data", "pets",          "--set", "data.set=\"folder\"",
                                      "--set",  "train.epochs=1"};
  std::vector<std::string> train{"train", kOneNetwork, "--run", "run"};
  train.insert(train.end(), pets.begin(), pets.end());
  const Ended trained = run(train);
  ASSERT_EQ(trained.code, 0) << trained.err;
  const Ended evaluated = run({"evaluate", "run"});
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  EXPECT_THAT(evaluated.out, HasSubstr("\nowl "));
  expect_complaint(run({"summary", "run/experiment.toml"}), 2, "--data");
  EXPECT_THAT(run({"summary", "run/experiment.toml", "--data", "pets"}).out,
              HasSubstr("(None, 3)"));
}

}  // namespace
}  // namespace sluice::testing
