#include "sluice/lab/run_folder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <set>
#include <thread>

#include "base/files.h"
#include "formats/model/model_file_testing.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Experiment named(const std::string& name) {
  return {.name = name, .data = {}, .groups = {}, .lab = {}};
}

/// Each test has its own current folder, because runs/ is made there.
class RunFolders : public testing::Test {
 protected:
  template <class Call>
  static std::string refusal(const Call& call) {
    return error_of(Fault::user, call);
  }

  ScratchFolder temp_;
  CurrentFolder current_{temp_.path()};
};

TEST_F(RunFolders, AreNumbered) {
  EXPECT_EQ(RunFolder::create("", named("lab")).path(), "runs/lab");
  EXPECT_EQ(RunFolder::create("", named("lab")).path(), "runs/lab2");
  EXPECT_EQ(RunFolder::create("", named("lab")).path(), "runs/lab3");
  EXPECT_EQ(RunFolder::create("", named("other")).path(), "runs/other");
  EXPECT_TRUE(fs::is_directory(RunFolder::create("", named("lab")).figures()));
}

TEST_F(RunFolders, NoTwoGetTheSame) {
  std::vector<std::thread> threads;
  std::vector<std::string> paths(8);
  std::atomic<int> given_wanted = 0;
  for (std::string& path : paths) {
    threads.emplace_back([&] {
      path = RunFolder::create("", named("lab")).path();
      try {
        RunFolder::create("deep/wanted", named("lab"));
        ++given_wanted;
      } catch (const Error&) {
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<std::string>(paths.begin(), paths.end()).size(), paths.size());
  EXPECT_EQ(given_wanted, 1);
}

TEST_F(RunFolders, WantedMustBeEmpty) {
  fs::create_directory("empty");
  EXPECT_EQ(RunFolder::create("empty", named("lab")).path(), "empty");
  EXPECT_EQ(refusal([] { RunFolder::create("empty", named("lab")); }),
            "[run] empty is not empty: choose another folder, or delete it");
  EXPECT_EQ(RunFolder::create("a/b/c/", named("lab")).path(), "a/b/c/");
  write_file("file", "x");
  EXPECT_EQ(refusal([] { RunFolder::create("file", named("lab")); }),
            "[run] file is a file, not a folder: choose another");
  EXPECT_EQ(refusal([] { RunFolder::create("file/x", named("lab")); }),
            "[run] file is a file, not a folder: choose another");
  EXPECT_EQ(refusal([] { RunFolder::create("", named("../lab")); }),
            "[run] a run cannot be named '../lab': use letters, digits, _ and -");
}

TEST_F(RunFolders, OpenSaysWhatMakesARun) {
  EXPECT_EQ(refusal([] { RunFolder::open("lab"); }),
            "[run] lab does not exist: make one with `sluice train`");
  RunFolder::create("", named("lab"));
  EXPECT_EQ(RunFolder::open("runs/lab").path(), "runs/lab");
  EXPECT_EQ(refusal([] { RunFolder::open("lab"); }),
            "[run] lab does not exist: did you mean runs/lab?");
  EXPECT_EQ(refusal([] { RunFolder::open("x"); }), "[run] x does not exist: there are runs/lab");
  EXPECT_EQ(refusal([] { RunFolder::open(""); }), "[run]  does not exist: there are runs/lab");
  EXPECT_EQ(refusal([] { RunFolder::open("runs"); }),
            "[run] runs is not a run folder: experiment.toml is missing: there are runs/lab");
  EXPECT_EQ(refusal([] { RunFolder::open("runs/lab/experiment.toml"); }),
            "[run] runs/lab/experiment.toml is a file of a run: did you mean runs/lab?");
  save("x.png", "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(refusal([] { RunFolder::open("x.png"); }),
            "[run] x.png is a PNG picture, not the folder of a run: `sluice predict RUN x.png` "
            "classifies it");
}

TEST_F(RunFolders, ExperimentIsReadBack) {
  const RunFolder run = RunFolder::create("r", named(""));
  Experiment experiment{.name = "lab", .data = {}, .groups = {}, .lab = {}};
  experiment.data.set = "folder";
  experiment.groups = saved_mixture().groups;
  experiment.lab.seed = 5;
  run.write_experiment(experiment);
  EXPECT_EQ(to_toml(RunFolder::open("r").read_experiment()), to_toml(experiment));
  EXPECT_FALSE(run.finished());
  write_file("r/results.json", "{}");
  EXPECT_TRUE(run.finished());
}

TEST_F(RunFolders, HistoryKeepsEveryDigit) {
  const RunFolder run = RunFolder::create("r", named(""));
  History history;
  history.epochs = {{0.1, 1.0 / 3, 2, 0.5, 1e-7},
                    {std::numeric_limits<double>::quiet_NaN(), 0, 1e300, 1, 12.25}};
  run.write_history("gate", history);
  EXPECT_EQ(read_file("r/gate/history.csv", 1000),
            "epoch,loss,accuracy,val_loss,val_accuracy,seconds\n"
            "1,0.1,0.3333333333333333,2,0.5,1e-07\n"
            "2,nan,0,1e+300,1,12.25\n");
}

TEST_F(RunFolders, ModelsAreReadBack) {
  const RunFolder run = RunFolder::create("r", named(""));
  Experiment experiment{.name = "lab", .data = {}, .groups = saved_mixture().groups, .lab = {}};
  experiment.data.set = "folder";
  run.write_experiment(experiment);
  EXPECT_EQ(run.models(), std::vector<std::string>{});
  run.write_model("gate", saved_network());
  run.write_model("mixture", saved_mixture());
  run.write_model("expert-right", saved_network());
  EXPECT_EQ(run.models(), (std::vector<std::string>{"expert-right", "gate", "mixture"}));
  EXPECT_EQ(run.read_model("gate").model.name, "tiny");
  EXPECT_EQ(run.read_mixture().groups[1].name, "right");
}

TEST_F(RunFolders, AModelThatIsNotThereOrOfAnotherKind) {
  const RunFolder run = RunFolder::create("r", named(""));
  EXPECT_EQ(refusal([&] { run.read_model("gate"); }),
            "[run] r/gate/model.safetensors is missing: the run was stopped before it: resume with "
            "`sluice train --resume r`");
  Experiment experiment{.name = "r", .data = {}, .groups = {}, .lab = {}};
  experiment.data.set = "folder";
  experiment.groups = saved_mixture().groups;
  run.write_experiment(experiment);
  run.write_model("baseline", saved_network());
  EXPECT_TRUE(run.imported()) << "a model without a history";
  EXPECT_EQ(refusal([&] { run.read_model("gate"); }),
            "[run] r/gate/model.safetensors is missing: the run was imported with baseline alone");
  run.write_history("baseline", {});
  EXPECT_FALSE(run.imported());
  run.write_model("gate", saved_mixture());
  EXPECT_EQ(refusal([&] { run.read_model("gate"); }),
            "[run] r/gate/model.safetensors is not a single network: was it put there by hand?");
  run.write_model("mixture", saved_network());
  EXPECT_EQ(refusal([&] { run.read_mixture(); }),
            "[run] r/mixture/model.safetensors is not a mixture: was it put there by hand?");
}

}  // namespace
}  // namespace sluice
