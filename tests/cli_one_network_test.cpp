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
    Program(home_->path(), {"data", "sample", "--data", "builtin", kLab}).wait();
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
       {"experiment.toml", "data.json", "results.json", "predictions.csv", "gallery.json",
        "report.html", "SHA256SUMS", "baseline/history.csv", "baseline/model.safetensors"}) {
    EXPECT_TRUE(fs::exists(run / file)) << file;
  }
  for (const char* none : {"gate", "mixture", "checkpoints"}) {
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
  const Ended summary = at_home({"summary", "runs/one"});
  EXPECT_EQ(summary.out, at_home({"summary", "runs/one/experiment.toml"}).out);
  EXPECT_THAT(summary.out, HasSubstr(" MB to train in batches of 32, "));
  EXPECT_LE(widest(summary.out), 80u);
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

TEST_F(OneNetwork, SeedsGiveMeanAndDeviation) {
  std::vector<std::string> train = train_as("seeds");
  train.insert(train.end(), {"--seeds", "2"});
  const Ended trained = run(train);
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_LE(widest(trained.out), 80u);
  EXPECT_THAT(trained.out, HasSubstr("\nseed 0    "));
  EXPECT_THAT(trained.out, HasSubstr("\nseed 1    "));
  EXPECT_THAT(trained.out, HasSubstr("\nstandard deviation "));
  EXPECT_EQ(load(folder_ / "seeds/seed-0/predictions.csv"),
            load(*home_ / "runs/one/predictions.csv"))
      << "as without --seeds";
  const nlohmann::json json = nlohmann::json::parse(load(folder_ / "seeds/seeds.json"));
  EXPECT_EQ(json["runs"][0]["baseline_accuracy"], results()["baseline"]["accuracy"]);
  EXPECT_THAT(run(train).out, HasSubstr("seeds/seed-1 is finished"));
  expect_complaint(run({"train", "--resume", "seeds/seed-0", "--seeds", "2"}), 2, "excludes");
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
  expect_complaint(run({"summary", "run/experiment.toml"}, {"SLUICE_DATA="}), 2, "--data");
  EXPECT_THAT(run({"summary", "run/experiment.toml", "--data", "pets"}).out,
              HasSubstr("(None, 3)"));
}

/// Grey pictures on black, neither square nor 32 pixels wide, in all verbs; also as a mixture.
TEST_F(OneNetwork, ImagesOfAnySize) {
  const std::vector<std::string> form{
      "--set", "data.image_size=[24,40]", "--set", "data.resize=pad", "--set", "data.channels=1"};
  for (const std::string& file : {kOneNetwork, kLab}) {
    const std::string name = file == kLab ? "mixture" : "network";
    std::vector<std::string> train{"train", file, "--data", "builtin", "--run", name};
    train.insert(train.end(), kShort.begin(), kShort.end());
    train.insert(train.end(), form.begin(), form.end());
    const Ended trained = run(train);
    ASSERT_EQ(trained.code, 0) << trained.err;
    EXPECT_THAT(trained.out, HasSubstr("(None, 24, 40, 32)"));
    const nlohmann::json json = nlohmann::json::parse(load(folder_ / name / "results.json"));
    EXPECT_EQ(json["data"]["image_shape"], (std::vector<int>{24, 40, 1}));
    const Ended evaluated = run({"evaluate", name});
    ASSERT_EQ(evaluated.code, 0) << evaluated.err;
    EXPECT_THAT(load(folder_ / name / "baseline/model.safetensors").substr(0, 10'000),
                HasSubstr(R"("resize":"\"pad\"")"));
    const std::string picture = (*home_ / "samples/cat/0.png").string();
    const Ended predicted = run({"predict", name, picture});
    ASSERT_EQ(predicted.code, 0) << predicted.err;
    EXPECT_EQ(run({"summary", name}).out, run({"summary", name + "/experiment.toml"}).out);
    ASSERT_EQ(run({"export", name, "--to", name + "-files"}).code, 0);
    const Ended imported =
        run({"import", name + "-files/baseline.keras", "--run", name + "-imported"});
    ASSERT_EQ(imported.code, 0) << imported.err;
    const Ended again = run({"evaluate", name + "-imported", "--data", "builtin"});
    ASSERT_EQ(again.code, 0) << again.err;
    if (file == kLab) {
      const Ended explained = run({"explain", name, picture, "--to", "page.html"});
      ASSERT_EQ(explained.code, 0) << explained.err;
    }
  }
  expect_complaint(run({"evaluate", "network", "--set", "data.image_size=32"}), 2,
                   "baseline takes images of (24, 40, 1), but the data's are (32, 32, 1)");
  expect_complaint(run({"train", kOneNetwork, "--data", "builtin", "--set", "data.image_size=224"}),
                   2, "102,760,960 parameters, more than 100,000,000");
}

}  // namespace
}  // namespace sluice::testing
