// Every verb of the command line as a user types it, mistakes included.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "tests/program.h"
#include "tests/scratch.h"

namespace sluice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kLab = SLUICE_SOURCE_DIR "/experiments/lab.toml";

/// A few seconds' lab.
const std::vector<std::string> kShort{
    "--set", "data.train_images=320", "--set", "data.test_images=100", "--set", "train.epochs=1"};

std::vector<std::string> train_short(std::vector<std::string> more) {
  more.insert(more.begin(), {"train", kLab});
  more.insert(more.end(), kShort.begin(), kShort.end());
  return more;
}

/// Columns of the widest line: UTF-8's continuation bytes take none.
std::size_t widest(const std::string& text) {
  std::size_t most = 0;
  std::size_t columns = 0;
  for (const char c : text) {
    if (c == '\n')
      columns = 0;
    else
      columns += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    most = std::max(most, columns);
  }
  return most;
}

/// One line that starts as the program's complaints do.
void expect_complaint(const Ended& ended, int code, const std::string& text) {
  EXPECT_EQ(ended.code, code) << ended.err;
  EXPECT_THAT(ended.err, StartsWith("sluice: "));
  EXPECT_THAT(ended.err, HasSubstr(text));
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
}

class CommandLine : public ::testing::Test {
 protected:
  Ended run(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
    return Program(folder_.path(), std::move(arguments), std::move(environment)).wait();
  }

  /// Whether anything but the kept output was written.
  bool wrote() const {
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (entry.path().filename().string().front() != '.') return true;
    }
    return false;
  }

  std::string experiment(const std::string& from, const std::string& to) {
    std::string text = load(kLab);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    save(folder_ / ".mine.toml", text);
    return ".mine.toml";
  }

  ScratchFolder folder_;
};

TEST_F(CommandLine, EveryVerbHasHelpWithExamplesIn80Columns) {
  for (const std::vector<std::string>& verb :
       std::vector<std::vector<std::string>>{{},
                                             {"train"},
                                             {"evaluate"},
                                             {"predict"},
                                             {"export"},
                                             {"import"},
                                             {"summary"},
                                             {"data"},
                                             {"data", "info"},
                                             {"data", "fetch"},
                                             {"data", "sample"}}) {
    auto arguments = verb;
    arguments.emplace_back("--help");
    const Ended ended = run(arguments);
    EXPECT_EQ(ended.code, 0);
    if (verb.size() < 2) {
      EXPECT_THAT(ended.out, HasSubstr("Examples:\n  sluice "));
    }
    EXPECT_LE(widest(ended.out), 80u) << ended.out;
  }
  EXPECT_EQ(run({}).out, run({"--help"}).out);
  EXPECT_EQ(run({"data"}).out, run({"data", "--help"}).out);
  EXPECT_THAT(run({"--version"}).out, StartsWith("sluice "));
}

TEST_F(CommandLine, MistakesAreOneLineAndExitCode2) {
  expect_complaint(run({"trian"}), 2, "trian");
  expect_complaint(run({"train"}), 2, "EXPERIMENT");
  expect_complaint(run({"train", "lap.toml"}), 2, "lap.toml");
  expect_complaint(run({"train", kLab, "--set", "seed"}), 2, "--set");
  expect_complaint(run({"train", kLab, "--data", "nowhere"}), 2, "nowhere");
  expect_complaint(run({"summary", "nowhere"}), 2, "nowhere");
  expect_complaint(run({"evaluate", "nowhere"}), 2, "nowhere");
  expect_complaint(run({"predict", "nowhere", "cat.png"}), 2, "nowhere");
  expect_complaint(run({"export", "nowhere"}), 2, "nowhere");
  expect_complaint(run({"export", "nowhere", "--format", "tf"}), 2, "keras,onnx");
  expect_complaint(run({"import", "nowhere.keras"}), 2, "nowhere.keras");
  expect_complaint(run({"import", kLab}), 2, "is no .keras and no .h5 file");
  expect_complaint(run({"data", "inof"}), 2, "inof");
  expect_complaint(run({"data", "sample", "--count", "0"}), 2, "--count");
  EXPECT_FALSE(wrote());
}

TEST_F(CommandLine, MistakesInAnExperimentNameFileKeyAndMendAndWriteNothing) {
  const auto train = [&](const std::string& from, const std::string& to) {
    const std::string file = experiment(from, to);
    return run({"train", file, "--data", "builtin", "--set", "train.epochs=1"});
  };
  expect_complaint(train("\nlearning_rate", "\nlearning_rat"), 2, "did you mean");
  expect_complaint(train("train_images = 5000", "train_images = -3"), 2, "train_images");
  expect_complaint(train("\"truck\"", "\"truck\", \"cat\""), 2, "'cat'");
  expect_complaint(train(", \"truck\"", ""), 2, "class 'truck' is in no group");
  expect_complaint(train("seed = 0", "seed = true"), 2, ".mine.toml:14");
  EXPECT_FALSE(wrote());
}

TEST_F(CommandLine, MoreImagesThanThereAreIsTold) {
  expect_complaint(run({"train", kLab, "--data", SLUICE_SOURCE_DIR}), 2, SLUICE_SOURCE_DIR);
  EXPECT_FALSE(wrote());
}

TEST_F(CommandLine, SummaryShowsTheLabsParameters) {
  const Ended ended = run({"summary", kLab});
  EXPECT_EQ(ended.code, 0);
  for (const char* count : {"2,168,362", "2,164,258", "1,583,636", "11,836,616"}) {
    EXPECT_THAT(ended.out, HasSubstr(count));
  }
  EXPECT_LE(widest(ended.out), 80u);
}

TEST_F(CommandLine, DataIsDescribedAndSampled) {
  const Ended info = run({"data", "info", kLab, "--data", "builtin"});
  EXPECT_EQ(info.code, 0);
  EXPECT_THAT(info.out, HasSubstr("built-in images"));
  EXPECT_THAT(info.out, HasSubstr("balanced"));
  const Ended sample = run({"data", "sample", kLab, "--data", "builtin", "--count", "2"});
  EXPECT_EQ(sample.code, 0) << sample.err;
  EXPECT_TRUE(fs::exists(folder_ / "samples/cat/1.png"));
  EXPECT_FALSE(fs::exists(folder_ / "samples/cat/2.png"));
}

TEST_F(CommandLine, ADownloadOfTheWrongFileIsTheMachinesFault) {
  save(folder_ / ".archive", "not the archive");
  const std::string url = "file://" + (folder_ / ".archive").string();
  expect_complaint(run({"data", "fetch", "--url", url}, {"XDG_CACHE_HOME=.cache"}), 1,
                   "c32a1d4ab5d03f1284b67883e8d87530");
}

TEST_F(CommandLine, WithoutGnuplotARunEndsWellAndSaysWhatIsMissing) {
  const Ended ended = run(train_short({"--data", "builtin"}), {"PATH="});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("gnuplot is missing"));
  EXPECT_TRUE(fs::exists(folder_ / "runs/lab/results.json"));
  EXPECT_FALSE(fs::exists(folder_ / "runs/lab/figures/samples.png"));
}

TEST_F(CommandLine, AGnuplotThatFailsCostsPicturesAndNotTheRun) {
  const fs::path broken = folder_ / ".bin/gnuplot";
  save(broken, "#!/bin/sh\necho no fonts at all >&2\nexit 1\n");
  fs::permissions(broken, fs::perms::owner_all);
  const std::string path = "PATH=" + broken.parent_path().string() + ":" + getenv("PATH");
  const Ended ended = run(train_short({"--data", "builtin"}), {path});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("no picture: "));
  EXPECT_THAT(ended.out, HasSubstr("no fonts at all"));
  EXPECT_TRUE(fs::exists(folder_ / "runs/lab/results.json"));
}

TEST_F(CommandLine, CtrlCEndsWithinAStepAndKeepsWhatWasFinished) {
  auto arguments = train_short({"--data", "builtin"});
  arguments.insert(arguments.end(), {"--set", "train.epochs.gate=10000"});
  Program program(folder_.path(), arguments);
  const fs::path started = folder_ / "runs/lab/expert-natural/model.safetensors";
  for (int tenths = 0; !fs::exists(started) && tenths < 1200; ++tenths) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  std::this_thread::sleep_for(std::chrono::seconds(2));  // into the gate's 10,000 epochs
  program.signal(SIGINT);
  const Ended ended = program.wait();
  expect_complaint(ended, 130, "stopped by Ctrl-C");
  EXPECT_THAT(
      ended.out,
      HasSubstr("not finished: runs/lab: kept baseline, expert-artificial, expert-natural"));
  EXPECT_FALSE(fs::exists(folder_ / "runs/lab/results.json"));

  // What was kept can be used, and what is missing is said.
  const Ended evaluated = run({"evaluate", "runs/lab", "--data", "builtin"});
  EXPECT_EQ(evaluated.code, 0) << evaluated.err;
  EXPECT_THAT(evaluated.out, HasSubstr("not in this run: gate, mixture"));
  run({"data", "sample", kLab, "--data", "builtin", "--count", "1"});
  const Ended predicted = run({"predict", "runs/lab", "samples/cat/0.png"});
  EXPECT_THAT(predicted.out, StartsWith("samples/cat/0.png\n  baseline "));
}

/// One short run, made once, for the verbs that need one.
class FinishedRun : public CommandLine {
 protected:
  static void SetUpTestSuite() {
    home_ = new ScratchFolder();
    trained_ = new Ended(Program(home_->path(), train_short({"--data", "builtin"})).wait());
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
        "mixture: accuracy", "Did the mixture improve on the baseline?", "runs/lab/figures"}) {
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

TEST_F(CommandLine, RealDataIsUsedWhereThereIsSome) {
  if (getenv("SLUICE_DATA") == nullptr) GTEST_SKIP() << "SLUICE_DATA is not set";
  auto arguments = train_short({});
  arguments.insert(arguments.end(), {"--set", "data.train_images=2000", "--set",
                                     "data.test_images=400", "--set", "train.epochs.experts=5"});
  const Ended ended = run(arguments);
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("SLUICE_DATA"));
  const auto json = nlohmann::json::parse(load(folder_ / "runs/lab/results.json"));
  // Four classes: guessing gives a quarter, and so would a mistake in labels or pixels.
  EXPECT_GT(json["experts"]["artificial"]["accuracy"].get<double>(), 0.4);
}

}  // namespace
}  // namespace sluice::testing
