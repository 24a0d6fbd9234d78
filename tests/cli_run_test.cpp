// Tests the uses of a finished run.

#include <sys/stat.h>

#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <thread>

#include "tests/command_line.h"

namespace sluice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Trains one short run for all verbs that need one.
class FinishedRun : public CommandLine {
 protected:
  static void SetUpTestSuite() {
    home_ = new ScratchFolder();
    trained_ = new Ended(Program(home_->path(), train_short({"--data", "builtin", "--profile",
                                                             "--controls", "--tensorboard"}))
                             .wait());
    Program(home_->path(), {"data", "sample", "--data", "builtin", kLab}).wait();
  }
  static void TearDownTestSuite() {
    delete trained_;
    delete home_;
  }

  static Ended at_home(std::vector<std::string> arguments) {
    return Program(home_->path(), std::move(arguments)).wait();
  }
  static nlohmann::json results() {
    return nlohmann::json::parse(load(*home_ / "runs/lab/results.json"));
  }

  static ScratchFolder* home_;
  static Ended* trained_;
};

ScratchFolder* FinishedRun::home_ = nullptr;
Ended* FinishedRun::trained_ = nullptr;

TEST_F(FinishedRun, TellsTheStoryInPlain80Columns) {
  ASSERT_EQ(trained_->code, 0) << trained_->err;
  EXPECT_EQ(trained_->err, "");
  EXPECT_LE(widest(trained_->out), 80u);
  EXPECT_THAT(trained_->out, Not(HasSubstr("\x1b"))) << "no colour or redrawing where it is piped";
  EXPECT_THAT(trained_->out, Not(HasSubstr("\r")));
  for (const char* text :
       {"data: ", "Training images are", "Model: \"baseline\"", "Epoch 1/1 ", "val_acc",
        "expert-natural: accuracy", "expert-natural, all classes: accuracy", "gate: accuracy",
        "mixture: accuracy", "seconds, including validation\nLayer ", "outside the layers",
        "8/8 control-wider: as many parameters", "Error budget of the mixture, 100 images:",
        "Has performance improved?", "runs/lab/figures"}) {
    EXPECT_THAT(trained_->out, HasSubstr(text));
  }
}

TEST_F(FinishedRun, LeavesAFolderForPeopleAndPrograms) {
  const fs::path run = *home_ / "runs/lab";
  EXPECT_TRUE(fs::exists(run / "experiment.toml"));
  EXPECT_TRUE(fs::exists(run / "data.json"));
  for (const char* model : {"baseline", "expert-artificial", "expert-natural", "gate", "mixture"}) {
    EXPECT_TRUE(fs::exists(run / model / "history.csv")) << model;
    EXPECT_TRUE(fs::exists(run / model / "model.safetensors")) << model;
    for (const char* picture : {"-curves.png", "-confusion.png"}) {
      EXPECT_TRUE(fs::exists(run / "figures" / (std::string(model) + picture))) << model;
    }
  }
  for (const char* curves : {"baseline/train", "mixture/validation", "control-longer/train"}) {
    EXPECT_FALSE(fs::is_empty(run / "tensorboard" / curves)) << curves;
  }
  EXPECT_TRUE(fs::exists(run / "figures/distribution.png"));
  EXPECT_TRUE(fs::exists(run / "figures/samples.png"));
  for (const auto& entry : fs::recursive_directory_iterator(run)) {
    EXPECT_THAT(entry.path().string(), Not(HasSubstr(".part"))) << "left half-written";
  }
  const nlohmann::json json = results();
  EXPECT_EQ(json["baseline"]["parameters"], 2168362);
  EXPECT_EQ(json["mixture"]["parameters"], 11836616);
  for (const auto& model : {json["baseline"], json["mixture"], json["gate"],
                            json["experts"]["natural"], json["experts"]["artificial"]}) {
    EXPECT_GE(model["accuracy"].get<double>(), 0);
    EXPECT_LE(model["accuracy"].get<double>(), 1);
    EXPECT_GT(model["seconds"].get<double>(), 0);
  }
  EXPECT_GT(json["total_seconds"].get<double>(), json["mixture"]["seconds"].get<double>());
}

TEST_F(FinishedRun, TheVerdictIsThatOfThePredictions) {
  const nlohmann::json json = results();
  std::istringstream rows(load(*home_ / "runs/lab/predictions.csv"));
  std::string row;
  std::getline(rows, row);
  EXPECT_THAT(row, StartsWith("image,truth,gate,baseline,mixture,longer,average,wider,gate:"));
  const std::vector<std::string> classifiers{"baseline", "mixture", "longer", "average", "wider"};
  std::map<std::string, int> right;
  int images = 0;
  for (; std::getline(rows, row); ++images) {
    std::vector<std::string> fields;
    std::istringstream cells(row);
    for (std::string cell; std::getline(cells, cell, ',');) fields.push_back(cell);
    ASSERT_EQ(fields.size(), 8u + 2 + 5 * 10);
    for (std::size_t i = 0; i < classifiers.size(); ++i) {
      right[classifiers[i]] += fields[3 + i] == fields[1];
    }
  }
  ASSERT_EQ(images, 100);
  const nlohmann::json& verdict = json["verdict"];
  EXPECT_EQ(right["baseline"], std::lround(100 * json["baseline"]["accuracy"].get<double>()));
  EXPECT_EQ(right["mixture"], std::lround(100 * json["mixture"]["accuracy"].get<double>()));
  for (const char* model : {"baseline", "mixture"}) {
    EXPECT_NEAR(verdict[model]["accuracy"].get<double>(), right[model] / 100., 1e-9) << model;
  }
  for (const char* control : {"longer", "average", "wider"}) {
    EXPECT_NEAR(verdict["controls"][control]["accuracy"].get<double>(), right[control] / 100., 1e-9)
        << control;
    EXPECT_GT(json["controls"][control]["seconds"].get<double>(), 0) << control;
  }
  EXPECT_EQ(json["controls"]["average"]["parameters"], 2 * 2168362);
  EXPECT_GE(json["controls"]["wider"]["parameters"], json["mixture"]["active_parameters"]);
  EXPECT_GT(json["mixture"]["latency_ms"].get<double>(), 0);
  EXPECT_THAT(trained_->out, HasSubstr(verdict["sentence"].get<std::string>().substr(0, 30)));
}

TEST_F(FinishedRun, EvaluateGivesTheSameAccuraciesAgain) {
  const Ended ended = at_home({"evaluate", "runs/lab", "--data", "builtin"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const nlohmann::json json = results();
  for (const auto& [name, model] : {std::pair{"baseline", json["baseline"]},
                                    {"gate", json["gate"]},
                                    {"expert-natural", json["experts"]["natural"]},
                                    {"mixture", json["mixture"]}}) {
    std::smatch match;
    const std::regex row("\n" + std::string(name) + R"(\s+\d+\s+([\d.]+)\s)");
    ASSERT_TRUE(std::regex_search(ended.out, match, row)) << name << ended.out;
    EXPECT_NEAR(std::stod(match[1]), model["accuracy"].get<double>(), 0.0006) << name;
  }
}

/// An environment without data for the search.
const std::vector<std::string> kNowhere{"SLUICE_DATA=", "XDG_CACHE_HOME=.cache",
                                        "https_proxy=http://127.0.0.1:1", "no_proxy=", "NO_PROXY="};

TEST_F(FinishedRun, EvaluateFindsTheRunsOwnImagesAndKnowsThem) {
  const auto evaluate = [&](const std::string& run, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"evaluate", run});
    return Program(home_->path(), more, kNowhere).wait();
  };
  const Ended own = evaluate("runs/lab");
  ASSERT_EQ(own.code, 0) << own.err;
  EXPECT_THAT(own.out, HasSubstr("drawn by sluice (remembered by runs/lab)\n"));
  EXPECT_THAT(own.out, Not(HasSubstr("these are not")));
  const std::string others = "these are not its 100 test images\n";
  EXPECT_THAT(evaluate("runs/lab", {"--set", "data.test_images=30"}).out, HasSubstr(others));
  expect_complaint(evaluate("runs/lab", {"--set", "seed=1"}), 2, "only values of [data] count");

  // The folder has changed, is missing, or was never recorded.
  const auto with = [&](const std::string& run, const std::string& from, const std::string& to) {
    std::string record = load(*home_ / "runs/lab/data.json");
    record.replace(record.find(from), from.size(), to);
    save(*home_ / run / "data.json", record);
    save(*home_ / run / "experiment.toml", load(*home_ / "runs/lab/experiment.toml"));
    return run;
  };
  const nlohmann::json record = nlohmann::json::parse(load(*home_ / "runs/lab/data.json"));
  EXPECT_EQ(record["place"], "builtin");
  const std::string sum = record["test"]["sha256"].get<std::string>();
  const std::string changed = with("changed", sum, std::string(64, '0'));
  expect_complaint(
      evaluate(changed), 2,
      "changed was trained on built-in images, and its test images have changed: "
      "restore the 100 images, or pass --data builtin to evaluate on the present ones");
  EXPECT_THAT(evaluate(changed, {"--data", "builtin"}).out, HasSubstr(others));
  expect_complaint(evaluate(with("gone", "\"builtin\"", "\"/nowhere/pets\"")), 2,
                   "gone was trained on built-in images in /nowhere/pets, which does not exist: "
                   "restore it, or pass --data DIR");
  const std::string old = with("old", "set", "set");
  fs::remove(*home_ / "old/data.json");
  const Ended unknown = evaluate(old);
  expect_complaint(unknown, 2, "no copy of CIFAR-10 was found: pass --data DIR");
  EXPECT_THAT(unknown.out, HasSubstr("old has no data.json, so its images are not known\n"));
}

TEST_F(FinishedRun, EvaluateTellsPrecisionRecallAndF1) {
  const Ended ended = at_home({"evaluate", "runs/lab", "--data", "builtin"});
  EXPECT_THAT(ended.out, HasSubstr(" precision     recall         F1     images\nairplane "));
  EXPECT_THAT(ended.out, HasSubstr("\nweighted mean "));
}

TEST_F(FinishedRun, ReportsItselfAsAPage) {
  const std::string made = load(*home_ / "runs/lab/report.html");
  const Ended again = at_home({"report", "runs/lab", "--to", "page.html"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, "page.html\n");
  EXPECT_EQ(load(*home_ / "page.html"), made);
  EXPECT_THAT(made, StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(made, HasSubstr(results()["verdict"]["sentence"].get<std::string>()));
  EXPECT_THAT(made, Not(HasSubstr("{{data}}")));
  const Ended both = at_home({"report", "runs/lab", "runs/lab/"});
  EXPECT_EQ(both.out, "comparison.html\n") << both.err;
  EXPECT_GT(load(*home_ / "comparison.html").size(), made.size());
}

TEST_F(FinishedRun, ReportSaysWhichRunHasNothingToTell) {
  save(*home_ / "stopped/experiment.toml", load(*home_ / "runs/lab/experiment.toml"));
  expect_complaint(
      at_home({"report", "runs/lab", "stopped"}), 2,
      "stopped has no results.json: it was stopped; resume it with `sluice train --resume "
      "stopped`");
  const auto report = [&](const std::string& results) {
    save(*home_ / "stopped/results.json", results);
    return at_home({"report", "stopped"});
  };
  const std::string other = "stopped/results.json is of another version of Sluice (format ";
  expect_complaint(report("{}"), 2, other + "null, and this one reads 1)");
  expect_complaint(report(R"({"format": 2, "verdict": {}})"), 2,
                   other + "2, and this one reads 1)");
  expect_complaint(report(R"({"format": 1, "verdict": {"controls": {}}})"), 2,
                   "stopped/results.json has no verdict: it was changed");
  expect_complaint(report(R"({"format": 1)"), 2, "stopped/results.json");
  expect_complaint(at_home({"report", "nowhere"}), 2, "nowhere does not exist");
}

TEST_F(FinishedRun, EvaluateCombinesViews) {
  const auto evaluate = [&](const char* views) {
    return at_home({"evaluate", "runs/lab", "--data", "builtin", "--views", views});
  };
  /// Returns the row of the mixture without its images per second.
  const auto row = [](const Ended& ended) {
    EXPECT_EQ(ended.code, 0) << ended.err;
    return ended.out.substr(ended.out.find("\nmixture"), 52);
  };
  const std::string one = row(evaluate("one"));
  EXPECT_EQ(row(at_home({"evaluate", "runs/lab", "--data", "builtin"})), one);
  const std::string mirror = row(evaluate("mirror"));
  EXPECT_NE(mirror, one);
  EXPECT_NE(row(evaluate("mirror+shift")), mirror);
  expect_complaint(evaluate("flip"), 2, "--views");
}

TEST_F(FinishedRun, EvaluateTellsWhereItsTimeWent) {
  const Ended ended =
      at_home({"evaluate", "runs/lab", "--data", "builtin", "--profile", "--compute", "exact"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_LE(widest(ended.out), 80u);
  EXPECT_THAT(ended.out, HasSubstr("\nmixture, seconds\nLayer "));
  EXPECT_THAT(ended.out, HasSubstr("direct, "));
  EXPECT_THAT(ended.out, Not(HasSubstr("winograd")));
}

TEST_F(FinishedRun, PredictNamesClassGateAndBaseline) {
  const Ended ended = at_home({"predict", "runs/lab", "samples/cat/0.png", "samples/ship/1.png"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, StartsWith("samples/cat/0.png\n  mixture "));
  EXPECT_THAT(ended.out, ::testing::ContainsRegex("gate +(natural|artificial) +[0-9.]+%"));
  EXPECT_THAT(ended.out, HasSubstr("routed to expert-"));
  EXPECT_THAT(ended.out, HasSubstr("\n  baseline "));
  EXPECT_THAT(ended.out, HasSubstr("samples/ship/1.png\n"));
  EXPECT_LE(widest(ended.out), 80u);
}

TEST_F(FinishedRun, PredictsFoldersAndGoesOnAfterWhatItCannotRead) {
  const auto in_album = [](int i) {
    return "album/" + std::string(i < 10 ? "0" : "") + std::to_string(i) + ".png";
  };
  // Enough pictures for several batches of several sizes; two of the files are not pictures in
  // spite of their names.
  for (int i = 0; i < 60; ++i) {
    const std::string from = i % 2 == 0 ? "samples/cat/0.png" : "samples/ship/1.png";
    save(*home_ / in_album(i), load(*home_ / from));
  }
  save(*home_ / "album/05.png", "<html>");
  save(*home_ / "album/below/deep.PNG", load(*home_ / "samples/dog/0.png"));
  save(*home_ / "album/below/empty.jpg", "");
  save(*home_ / "album/notes.txt", "no picture");
  const Ended ended = at_home({"predict", "runs/lab", "album", "nowhere.png"});
  EXPECT_EQ(ended.code, 2);
  std::vector<std::string> lines;
  std::istringstream err(ended.err);
  for (std::string line; std::getline(err, line);) lines.push_back(line);
  EXPECT_THAT(
      lines, ::testing::ElementsAre(
                 "sluice: [predict] album: ignored a file that is no picture: album/notes.txt",
                 HasSubstr("album/05.png"), HasSubstr("album/below/empty.jpg"),
                 HasSubstr("nowhere.png"), "sluice: [predict] 3 of 63 pictures could not be read"));
  // Sorted by name; each has the same answer as alone.
  std::string expected;
  const auto alone = [&](const std::string& file) {
    const std::string text = at_home({"predict", "runs/lab", file}).out;
    return text.substr(text.find('\n'));
  };
  const std::string answers[] = {alone("samples/cat/0.png"), alone("samples/ship/1.png")};
  for (int i = 0; i < 60; ++i) {
    if (i != 5) expected += in_album(i) + answers[i % 2];
  }
  expected += "album/below/deep.PNG" + alone("samples/dog/0.png");
  EXPECT_EQ(ended.out, expected);

  fs::create_directory(*home_ / "bare");
  expect_complaint(at_home({"predict", "runs/lab", "bare"}), 2, "bare has no picture: give one");
}

TEST_F(FinishedRun, PredictEndsSoonAfterCtrlC) {
  for (int i = 0; i < 2; ++i) {
    for (const int after : {100, 500}) {
      std::vector<std::string> many{"predict", "runs/lab"};
      many.insert(many.end(), 40'000, "samples/cat/0.png");
      Program program(home_->path(), many);
      std::this_thread::sleep_for(std::chrono::milliseconds(after));
      program.signal(SIGINT);
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_EQ(program.wait().code, 130);
      EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5))
          << "all take half a minute";
    }
  }
}

TEST_F(FinishedRun, FilesOfAnotherKindAreNamed) {
  at_home({"export", "runs/lab", "--model", "gate", "--to", "kinds"});
  at_home({"export", "runs/lab", "--model", "gate", "--to", "kinds", "--format", "onnx"});
  const auto said = [&](std::vector<std::string> arguments, const std::string& text) {
    expect_complaint(at_home(arguments), 2, text);
  };
  const std::string picture = "samples/cat/0.png";
  const std::string keras = "kinds/gate.keras is a Keras model, not ";
  const std::string import = ": make a run of it with `sluice import kinds/gate.keras`";
  said({"predict", "kinds/gate.keras", picture}, keras + "a model of Sluice" + import);
  said({"summary", "kinds/gate.keras"}, keras + "an experiment's TOML file" + import);
  said({"train", "kinds/gate.keras"}, keras + "an experiment's TOML file" + import);
  said({"export", "kinds/gate.keras"}, keras + "a model of Sluice" + import);
  said({"evaluate", "kinds/gate.keras"}, keras + "the folder of a run" + import);
  said({"report", "kinds/gate.keras"}, keras + "the folder of a run" + import);
  said({"explain", "kinds/gate.keras", picture}, keras + "a model of Sluice" + import);
  const std::string onnx = "kinds/gate.onnx is an ONNX model, not ";
  const std::string import_onnx =
      ": make a run of it with `sluice import baseline=kinds/gate.onnx`";
  said({"predict", "kinds/gate.onnx", picture}, onnx + "a model of Sluice" + import_onnx);
  said({"summary", "kinds/gate.onnx"}, onnx + "an experiment's TOML file" + import_onnx);
  EXPECT_EQ(at_home({"import", "gate=kinds/gate.onnx", "--run", "kinds/run"}).code, 0);
  said({"predict", picture, picture},
       picture + " is a PNG picture, not a model of Sluice: `sluice predict RUN " + picture +
           "` classifies it");
  said({"predict", "runs/lab/results.json", picture}, "results.json is a JSON text, not a model");
  said({"evaluate", "runs/lab/gate/model.safetensors"},
       "runs/lab/gate/model.safetensors is a file of a run: did you mean runs/lab?");
  said({"train", "runs/lab/results.json"}, "results.json is a JSON text, not an experiment's");
}

TEST_F(FinishedRun, OnlyFilesAreRead) {
  ASSERT_EQ(mkfifo((*home_ / "pipe").c_str(), 0600), 0);
  const std::string picture = "samples/cat/0.png";
  const auto said = [&](std::vector<std::string> arguments, const std::string& text) {
    expect_complaint(at_home(arguments), 2, text);
  };
  for (const auto& [name, words] : {std::pair{"pipe", "pipe is a pipe, not a file"},
                                    {"/dev/zero", "/dev/zero is a device, not a file"}}) {
    const std::string path = name;
    said({"import", "baseline=" + path}, words);
    said({"predict", path, picture}, words);
    said({"predict", "runs/lab", path}, words);
    said({"explain", "runs/lab", path}, words);
    said({"explain", path, picture}, words);
    said({"export", path}, words);
    said({"evaluate", path}, words);
    said({"report", path}, words);
    said({"report", "runs/lab", "--to", path}, words);
    said({"summary", path}, words);
    said({"train", path}, words);
    said({"train", kLab, "--data", path}, path);
  }
  const fs::path results = *home_ / "pipes/results.json";
  save(*home_ / "pipes/experiment.toml", load(*home_ / "runs/lab/experiment.toml"));
  ASSERT_EQ(mkfifo(results.c_str(), 0600), 0);
  expect_complaint(at_home({"report", "pipes"}), 2, "pipes has no results.json");
}

TEST_F(FinishedRun, AMixturesFileAloneIsExplained) {
  const Ended of_run = at_home({"explain", "runs/lab", "samples/cat/0.png"});
  const Ended alone =
      at_home({"explain", "runs/lab/mixture/model.safetensors", "samples/cat/0.png"});
  ASSERT_EQ(alone.code, 0) << alone.err;
  const std::string shared = of_run.out.substr(0, of_run.out.find("baseline"));
  EXPECT_THAT(alone.out, StartsWith(shared));
  EXPECT_THAT(of_run.out, HasSubstr("before *"));
  EXPECT_THAT(alone.out, Not(HasSubstr("before")));
  const std::string file = "runs/lab/mixture/model.safetensors";
  expect_complaint(at_home({"explain", file, "samples/cat/0.png", "--to", "x.html"}), 2,
                   file + " has no baseline from before joint training");
  expect_complaint(at_home({"explain", "runs/lab/gate/model.safetensors", "samples/cat/0.png"}), 2,
                   "is a network without a gate to explain: `sluice predict "
                   "runs/lab/gate/model.safetensors PICTURE` gives its prediction");
  const std::string picture = "samples/cat/1.png";
  const std::string before = load(*home_ / picture);
  expect_complaint(at_home({"explain", "runs/lab", picture, "--to", picture}), 2,
                   "samples/cat/1.png exists and has other content: choose another name");
  EXPECT_TRUE(load(*home_ / picture) == before);
}

TEST_F(FinishedRun, AnImportedBaselineTellsWhatItCan) {
  at_home({"export", "runs/lab", "--model", "baseline", "--model", "gate", "--to", "parts"});
  ASSERT_EQ(at_home({"import", "parts/baseline.keras", "--run", "only-baseline"}).code, 0);
  const Ended ended = at_home({"evaluate", "only-baseline", "--data", "builtin"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("\nbaseline\n"));
  EXPECT_THAT(ended.out, HasSubstr("predicted as\n"));
  EXPECT_THAT(ended.out, HasSubstr("\nweighted mean "));
  const Ended report = at_home({"report", "only-baseline", "--data", "builtin"});
  ASSERT_EQ(report.code, 0) << report.err;
  EXPECT_THAT(report.out, HasSubstr("Calibration error (ECE)"));
  EXPECT_THAT(report.out, HasSubstr("The network classifies "));
  EXPECT_THAT(report.out, HasSubstr("\nonly-baseline/report.html\n"));
  EXPECT_THAT(report.out, Not(HasSubstr("Training time"))) << "nobody knows it";
  const std::string accuracy = "  \"accuracy\": ";
  const std::string results = load(*home_ / "only-baseline/results.json");
  const std::string trained = load(*home_ / "runs/lab/results.json");
  const std::size_t at = trained.find(accuracy);
  EXPECT_THAT(results, HasSubstr(trained.substr(at, trained.find('\n', at) - at)));
  EXPECT_EQ(at_home({"report", "only-baseline"}).out, "only-baseline/report.html\n");
  expect_complaint(at_home({"explain", "only-baseline", "samples/cat/0.png"}), 2,
                   "only-baseline/mixture/model.safetensors is missing: the run was imported with "
                   "baseline alone");
  ASSERT_EQ(at_home({"import", "parts/gate.keras", "--run", "only-gate"}).code, 0);
  const Ended gate = at_home({"evaluate", "only-gate", "--data", "builtin"});
  EXPECT_THAT(gate.out, HasSubstr("\ngate\n"));
  expect_complaint(at_home({"report", "only-gate", "--data", "builtin"}), 2,
                   "only-gate has neither a baseline nor a mixture, which a report is about");
  expect_complaint(at_home({"predict", "only-gate", "samples/cat/0.png"}), 2,
                   "use one of its models, such as only-gate/gate/model.safetensors");
}

TEST_F(FinishedRun, GroupsAreFoundOnValidationImagesAlone) {
  expect_complaint(at_home({"groups", "runs/lab"}), 2,
                   "there are no validation images, and test images must not decide");
  ASSERT_EQ(at_home(train_short({"--run", "validated", "--data", "builtin", "--set",
                                 "train.validation_split=0.25", "--set", "train.epochs=1"}))
                .code,
            0);
  const Ended found = at_home({"groups", "validated", "--count", "3"});
  ASSERT_EQ(found.code, 0) << found.err;
  EXPECT_THAT(found.out, HasSubstr("Group "));
  EXPECT_THAT(found.out, HasSubstr("\n[[groups]]\nname = "));
  EXPECT_LE(widest(found.out), 80u);
  const Ended written =
      at_home({"groups", "validated", "--method", "spectral", "--to", "found.toml"});
  ASSERT_EQ(written.code, 0) << written.err;
  EXPECT_THAT(written.out, HasSubstr("train it:   sluice train found.toml"));
  EXPECT_EQ(at_home({"summary", "found.toml"}).code, 0);
  expect_complaint(at_home({"groups", "validated", "--to", "found.toml"}), 2,
                   "found.toml exists: choose another name (--to)");
  expect_complaint(at_home({"groups", "validated", "--count", "11"}), 2,
                   "11 groups of 10 classes: must be from 2 to 10");
  expect_complaint(at_home({"groups", "validated", "--method", "spectrall"}), 2, "spectral");
}

TEST_F(FinishedRun, ADamagedModelIsRefused) {
  std::string bytes = load(*home_ / "runs/lab/gate/model.safetensors");
  bytes[bytes.size() / 2] ^= 0x40;
  save(*home_ / "damaged.safetensors", bytes);
  for (const char* verb : {"predict", "summary", "export"}) {
    std::vector<std::string> arguments{verb, "damaged.safetensors"};
    if (arguments[0] == "predict") arguments.emplace_back("samples/cat/0.png");
    expect_complaint(at_home(arguments), 2, "damaged.safetensors was changed or damaged");
  }
}

TEST_F(FinishedRun, ExplainsAnAnswer) {
  const Ended ended = at_home({"explain", "runs/lab", "samples/cat/0.png", "--to", "cat.html"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_LE(widest(ended.out), 80u);
  EXPECT_THAT(ended.out, StartsWith("samples/cat/0.png\n  gate artificial "));
  // explain and predict must agree about the mixture.
  const std::string predicted = at_home({"predict", "runs/lab", "samples/cat/0.png"}).out;
  std::smatch best;
  ASSERT_TRUE(std::regex_search(predicted, best, std::regex("mixture +(\\w+) +([0-9.]+%)")));
  EXPECT_THAT(ended.out, ::testing::ContainsRegex("\n  " + best[1].str() + " .* " + best[2].str()));
  EXPECT_THAT(load(*home_ / "cat.html"), StartsWith("<!DOCTYPE html>"));
  expect_complaint(at_home({"explain", "runs/lab", "nowhere.png"}), 2, "nowhere.png");
}

TEST_F(FinishedRun, OneModelsFileIsEnough) {
  save(*home_ / "elsewhere/any.safetensors", load(*home_ / "runs/lab/mixture/model.safetensors"));
  const std::string of_run = at_home({"predict", "runs/lab", "samples/cat/0.png"}).out;
  const std::string alone =
      at_home({"predict", "elsewhere/any.safetensors", "samples/cat/0.png"}).out;
  EXPECT_EQ(alone, of_run.substr(0, of_run.find("  baseline")));
  const Ended summary = at_home({"summary", "elsewhere/any.safetensors"});
  EXPECT_THAT(summary.out, HasSubstr("11,836,616"));
  EXPECT_THAT(at_home({"predict", "runs/lab/gate/model.safetensors", "samples/cat/0.png"}).out,
              ::testing::ContainsRegex("^samples/cat/0.png\n  gate +(natural|artificial) "));
}

TEST_F(FinishedRun, ModelsComeBackFromKerasAsTheyWere) {
  const Ended exported = at_home({"export", "runs/lab"});
  ASSERT_EQ(exported.code, 0) << exported.err;
  EXPECT_THAT(exported.out,
              HasSubstr("keras.saving.load_model(\"runs/lab/export/mixture.keras\")"));
  EXPECT_LE(widest(exported.out), 80u);
  std::vector<std::string> import{"import", "--run", "imported"};
  const std::vector<std::string> models{"baseline", "expert-artificial", "expert-natural", "gate",
                                        "mixture"};
  for (const std::string& model : models) import.push_back("runs/lab/export/" + model + ".keras");
  const Ended imported = at_home(import);
  ASSERT_EQ(imported.code, 0) << imported.err;
  EXPECT_THAT(imported.out, HasSubstr("11,836,616 parameters"));
  for (const std::string& model : models) {
    EXPECT_TRUE(load(*home_ / ("imported/" + model + "/model.safetensors")) ==
                load(*home_ / ("runs/lab/" + model + "/model.safetensors")))
        << model;
  }
  EXPECT_EQ(at_home({"predict", "imported", "samples/cat/0.png"}).out,
            at_home({"predict", "runs/lab", "samples/cat/0.png"}).out);
  EXPECT_TRUE(fs::exists(*home_ / "runs/lab/export/importance-natural.keras"));
}

TEST_F(FinishedRun, PartsSavedOneByOneBecomeAMixture) {
  ASSERT_EQ(at_home({"export", "runs/lab", "--to", "parts"}).code, 0);
  std::vector<std::string> arguments{"import", "parts/baseline.keras", "parts/gate.keras",
                                     "parts/expert-natural.keras", "parts/expert-artificial.keras"};
  const auto import = [&](const std::string& run) {
    auto all = arguments;
    all.insert(all.end(), {"--run", run});
    return at_home(all);
  };
  const Ended without = import("without-importance");
  ASSERT_EQ(without.code, 0) << without.err;
  EXPECT_THAT(without.out,
              HasSubstr("no mixture is made of baseline, gate, expert-natural, "
                        "expert-artificial: importance-artificial, importance-natural are missing; "
                        "give them too, or let `sluice train` train every part\n"));
  arguments.push_back("parts/importance-natural.keras");
  expect_complaint(import("half"), 2,
                   "importance-natural is useful only in a mixture: give its other parts too: "
                   "importance-artificial");
  arguments.push_back("parts/importance-artificial.keras");
  const Ended joined = import("joined");
  ASSERT_EQ(joined.code, 0) << joined.err;
  EXPECT_THAT(joined.out,
              HasSubstr("mixture                  11,836,616 parameters   from its parts"));
  EXPECT_THAT(at_home({"predict", "joined", "samples/cat/0.png"}).out,
              HasSubstr("routed to expert-"));
  arguments.push_back("parts/mixture.keras");
  EXPECT_THAT(import("all").out, HasSubstr("importance models of its own: others are not used"));
}

TEST_F(FinishedRun, ImportSaysWhatItMustBeTold) {
  at_home({"export", "runs/lab", "--model", "gate", "--to", "files"});
  const std::string bytes = load(*home_ / "files/gate.keras");
  save(*home_ / "files/other.keras", bytes);
  EXPECT_EQ(at_home({"import", "files/other.keras", "--run", "by-own-name"}).code, 0);
  const auto refused = [&](std::vector<std::string> arguments, const std::string& text) {
    arguments.insert(arguments.begin(), {"import", "--run", "refused"});
    expect_complaint(at_home(arguments), 2, text);
    EXPECT_FALSE(fs::exists(*home_ / "refused"));
  };
  refused({"guard=files/other.keras"},
          "the name must be baseline, gate, expert-artificial, expert-natural");
  refused({"baseline=files/other.keras"}, "has the output (2), but there are 10 names for it");
  refused({"files/gate.keras", "gate=files/other.keras"}, "there is a gate already");
  refused({"files/gate.keras", "--part", "gate=x"}, "none of these is one");
  refused({"files/gate.keras", "--part", "x"}, "--part x: write PART=NAME");
  save(*home_ / "files/cut.keras", bytes.substr(0, bytes.size() / 2));
  refused({"gate=files/cut.keras"}, "files/cut.keras");
}

TEST_F(FinishedRun, ExportsForOnnxRuntime) {
  const Ended ended =
      at_home({"export", "runs/lab", "--format", "onnx", "--model", "mixture", "--to", "onnx"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_GT(fs::file_size(*home_ / "onnx/mixture.onnx"), 47'000'000u);
  EXPECT_FALSE(fs::exists(*home_ / "onnx/gate.onnx"));
  expect_complaint(at_home({"export", "runs/lab", "--model", "gat"}), 2,
                   "has no model 'gat': it has baseline, expert-artificial");
}

TEST_F(FinishedRun, PredictRefusesWhatIsNoPicture) {
  save(*home_ / "text.png", "not a picture");
  expect_complaint(at_home({"predict", "runs/lab", "text.png"}), 2, "text.png");
  expect_complaint(at_home({"predict", "runs/lab", "missing.jpg"}), 2, "missing.jpg");
}

TEST_F(FinishedRun, SummaryReadsTheRun) {
  EXPECT_EQ(at_home({"summary", "runs/lab"}).out,
            at_home({"summary", "runs/lab/experiment.toml"}).out);
}

TEST_F(FinishedRun, IsNeverOverwritten) {
  expect_complaint(at_home({"train", kLab, "--run", "runs/lab", "--data", "builtin"}), 2,
                   "runs/lab is not empty");
}

TEST_F(FinishedRun, TheSameSeedGivesTheSameHistories) {
  ASSERT_EQ(at_home(train_short({"--data", "builtin", "--run", "again"})).code, 0);
  const auto losses = [&](const std::string& run, const std::string& model) {
    const std::string csv = load(*home_ / (run + "/" + model + "/history.csv"));
    return csv.substr(0, csv.rfind(','));  // the last column is the time
  };
  for (const char* model : {"baseline", "expert-natural", "gate", "mixture"}) {
    EXPECT_EQ(losses("again", model), losses("runs/lab", model));
    EXPECT_TRUE(load(*home_ / ("again/" + std::string(model) + "/model.safetensors")) ==
                load(*home_ / ("runs/lab/" + std::string(model) + "/model.safetensors")))
        << model;
  }
}

}  // namespace
}  // namespace sluice::testing
