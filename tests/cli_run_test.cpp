// What a user does with a finished run.

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "tests/command_line.h"

namespace sluice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// One short run, made once, for the verbs that need one.
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
        "mixture: accuracy", "seconds, validation included\nLayer ", "outside the layers",
        "8/8 control-wider: as many parameters",
        "Where the mixture's 100 images went:", "Has performance improved?", "runs/lab/figures"}) {
    EXPECT_THAT(trained_->out, HasSubstr(text));
  }
}

TEST_F(FinishedRun, LeavesAFolderForPeopleAndPrograms) {
  const fs::path run = *home_ / "runs/lab";
  EXPECT_TRUE(fs::exists(run / "experiment.toml"));
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
  expect_complaint(at_home({"report", "runs/lab", "stopped"}), 2,
                   "stopped has no results.json: it was stopped or imported");
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
  EXPECT_THAT(ended.out, HasSubstr("asked expert-"));
  EXPECT_THAT(ended.out, HasSubstr("\n  baseline "));
  EXPECT_THAT(ended.out, HasSubstr("samples/ship/1.png\n"));
  EXPECT_LE(widest(ended.out), 80u);
}

TEST_F(FinishedRun, ExplainsAnAnswer) {
  const Ended ended = at_home({"explain", "runs/lab", "samples/cat/0.png", "--to", "cat.html"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_LE(widest(ended.out), 80u);
  EXPECT_THAT(ended.out, StartsWith("samples/cat/0.png\n  gate artificial "));
  // What it says of the mixture is what predict says.
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
                   "importance-natural is of use only in a mixture: give its other parts too: "
                   "importance-artificial");
  arguments.push_back("parts/importance-artificial.keras");
  const Ended joined = import("joined");
  ASSERT_EQ(joined.code, 0) << joined.err;
  EXPECT_THAT(joined.out,
              HasSubstr("mixture                  11,836,616 parameters   from its parts"));
  EXPECT_THAT(at_home({"predict", "joined", "samples/cat/0.png"}).out, HasSubstr("asked expert-"));
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
  EXPECT_EQ(at_home({"summary", "runs/lab"}).out, at_home({"summary", kLab}).out);
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
