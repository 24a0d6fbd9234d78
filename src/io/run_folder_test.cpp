#include "sluice/run_folder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <set>
#include <thread>

#include "base/files.h"
#include "io/safetensors.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Each test in a current folder of its own, for runs/ is made there.
class RunFolders : public testing::Test {
 protected:
  template <class Call>
  static std::string refusal(const Call& call) {
    return error_of(Fault::user, call);
  }

  ScratchFolder temp_;
  CurrentFolder current_{temp_.path()};
};

const Shape kInput{4, 4, 3};
const Groups kGroups({{"left", {"a"}}, {"right", {"b", "c"}}}, {"a", "b", "c"});

Sequential tiny(int classes = 3) {
  return {"tiny", kInput, {Flatten{"flatten"}, Dense{"output", classes, Activation::softmax}}};
}

Mixture tiny_mixture() {
  const auto named = [](const std::string& name, int classes) {
    Sequential model = tiny(classes);
    model.name = name;
    return model;
  };
  Mixture mixture{named("baseline", 3), named("gate", 2), {}};
  for (const std::string& group : kGroups.names()) {
    mixture.branches.push_back(
        {group, named("expert-" + group, 3), named("importance-" + group, 6)});
  }
  return mixture;
}

TEST_F(RunFolders, AreNumbered) {
  EXPECT_EQ(RunFolder::create("", "lab").path(), "runs/lab");
  EXPECT_EQ(RunFolder::create("", "lab").path(), "runs/lab2");
  EXPECT_EQ(RunFolder::create("", "lab").path(), "runs/lab3");
  EXPECT_EQ(RunFolder::create("", "other").path(), "runs/other");
  EXPECT_TRUE(fs::is_directory(RunFolder::create("", "lab").figures()));
}

TEST_F(RunFolders, NoTwoGetTheSame) {
  std::vector<std::thread> threads;
  std::vector<std::string> paths(8);
  std::atomic<int> given_wanted = 0;
  for (std::string& path : paths) {
    threads.emplace_back([&] {
      path = RunFolder::create("", "lab").path();
      try {
        RunFolder::create("deep/wanted", "lab");
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
  EXPECT_EQ(RunFolder::create("empty", "lab").path(), "empty");
  EXPECT_EQ(refusal([] { RunFolder::create("empty", "lab"); }),
            "[run] empty is not empty: choose another folder, or delete it");
  EXPECT_EQ(RunFolder::create("a/b/c/", "lab").path(), "a/b/c/");
  write_file("file", "x");
  EXPECT_EQ(refusal([] { RunFolder::create("file", "lab"); }),
            "[run] file is a file, not a folder: choose another");
  EXPECT_EQ(refusal([] { RunFolder::create("file/x", "lab"); }),
            "[run] file is a file, not a folder: choose another");
  EXPECT_EQ(refusal([] { RunFolder::create("", "../lab"); }),
            "[run] a run cannot be named '../lab': use letters, digits, _ and -");
}

TEST_F(RunFolders, OpenSaysWhatMakesARun) {
  EXPECT_EQ(refusal([] { RunFolder::open("lab"); }),
            "[run] lab does not exist: make one with `sluice train`");
  RunFolder::create("", "lab").write_experiment(
      {.name = "lab", .data = {}, .groups = {}, .lab = {}});
  EXPECT_EQ(RunFolder::open("runs/lab").path(), "runs/lab");
  EXPECT_EQ(refusal([] { RunFolder::open("lab"); }),
            "[run] lab does not exist: did you mean runs/lab?");
  EXPECT_EQ(refusal([] { RunFolder::open("x"); }), "[run] x does not exist: there are runs/lab");
  EXPECT_EQ(refusal([] { RunFolder::open(""); }), "[run]  does not exist: there are runs/lab");
  EXPECT_EQ(refusal([] { RunFolder::open("runs"); }),
            "[run] runs is no run, for it has no experiment.toml: there are runs/lab");
  EXPECT_EQ(refusal([] { RunFolder::open("runs/lab/experiment.toml"); }),
            "[run] runs/lab/experiment.toml is a file: give the run's folder, which has an "
            "experiment.toml");
}

TEST_F(RunFolders, ExperimentIsReadBack) {
  const RunFolder run = RunFolder::create("r", "");
  Experiment experiment{.name = "lab", .data = {}, .groups = {}, .lab = {}};
  experiment.data.set = "folder";
  experiment.groups = kGroups.declared();
  experiment.lab.seed = 5;
  run.write_experiment(experiment);
  EXPECT_EQ(to_toml(RunFolder::open("r").read_experiment()), to_toml(experiment));
  EXPECT_FALSE(run.finished());
  write_file("r/results.json", "{}");
  EXPECT_TRUE(run.finished());
}

TEST_F(RunFolders, HistoryKeepsEveryDigit) {
  const RunFolder run = RunFolder::create("r", "");
  History history;
  history.epochs = {{0.1, 1.0 / 3, 2, 0.5, 1e-7},
                    {std::numeric_limits<double>::quiet_NaN(), 0, 1e300, 1, 12.25}};
  run.write_history("gate", history);
  EXPECT_EQ(read_file("r/gate/history.csv", 1000),
            "epoch,loss,accuracy,val_loss,val_accuracy,seconds\n"
            "1,0.1,0.3333333333333333,2,0.5,1e-07\n"
            "2,nan,0,1e+300,1,12.25\n");
}

TEST_F(RunFolders, WeightsAreReadBack) {
  const RunFolder run = RunFolder::create("r", "");
  Weights weights(tiny());
  weights.initialize(1, 2);
  run.write_weights("baseline", tiny(), weights, {"a", "b \"quoted\"", "größe"});
  const RunFolder::LoadedWeights back = run.read_weights("baseline", tiny());
  EXPECT_EQ(back.class_names, (std::vector<std::string>{"a", "b \"quoted\"", "größe"}));
  EXPECT_TRUE(std::equal(weights.values().begin(), weights.values().end(),
                         back.weights.values().begin(), back.weights.values().end()));

  const Safetensors file = Safetensors::read("r/baseline/model.safetensors");
  EXPECT_EQ(file.metadata().at("format"), "sluice 1");
  EXPECT_EQ(file.metadata().at("model"), "tiny");
  ASSERT_NE(file.find("output/kernel"), nullptr);
  EXPECT_EQ(file.find("output/kernel")->shape, (Shape{48, 3}));
  EXPECT_NE(file.find("output/bias"), nullptr);
}

TEST_F(RunFolders, MixtureIsReadBack) {
  const RunFolder run = RunFolder::create("r", "");
  const Mixture model = tiny_mixture();
  MixtureWeights weights(model);
  std::uint32_t stream = 0;
  for (Weights* part : weights.parts()) part->initialize(1, stream++);
  run.write_weights(model, weights, {"a", "b", "c"});
  const RunFolder::LoadedMixture back = run.read_weights(model);
  EXPECT_EQ(back.class_names, (std::vector<std::string>{"a", "b", "c"}));
  const auto written = std::as_const(weights).parts();
  const auto loaded = back.weights.parts();
  ASSERT_EQ(written.size(), loaded.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    EXPECT_TRUE(std::equal(written[i]->values().begin(), written[i]->values().end(),
                           loaded[i]->values().begin(), loaded[i]->values().end()))
        << i;
  }
  const Safetensors file = Safetensors::read("r/mixture/model.safetensors");
  for (const char* name : {"baseline/output/kernel", "gate/output/bias",
                           "expert-left/output/kernel", "importance-right/output/bias"}) {
    EXPECT_NE(file.find(name), nullptr) << name;
  }
}

TEST_F(RunFolders, WeightsThatDoNotFit) {
  const RunFolder run = RunFolder::create("r", "");
  const auto say = [&](const Sequential& declared) {
    return refusal([&] { run.read_weights("gate", declared); });
  };
  EXPECT_EQ(say(tiny()),
            "[run] r/gate/model.safetensors is missing: the run was stopped before this model was "
            "trained; train again");
  run.write_weights("gate", tiny(), Weights(tiny()), {"a"});
  EXPECT_EQ(say(tiny(4)),
            "[weights] r/gate/model.safetensors: tensor 'output/kernel' is (48, 3), but the "
            "model's is (48, 4): is it of another model?");
  Sequential renamed = tiny();
  std::get<Dense>(renamed.layers[1]).name = "last";
  EXPECT_EQ(say(renamed),
            "[weights] r/gate/model.safetensors has no tensor 'last/kernel': is it of another "
            "model?");
  Sequential longer = tiny();
  longer.layers.push_back(Dense{"more", 2});
  run.write_weights("gate", longer, Weights(longer), {"a"});
  EXPECT_EQ(say(tiny()),
            "[weights] r/gate/model.safetensors has 4 tensors, but the model 2: is it of another "
            "model?");
}

TEST_F(RunFolders, DamagedWeights) {
  const RunFolder run = RunFolder::create("r", "");
  const std::string file = "r/gate/model.safetensors";
  const auto say = [&](const std::string& bytes) {
    write_file(file, bytes);
    return refusal([&] { run.read_weights("gate", tiny()); });
  };
  run.write_weights("gate", tiny(), Weights(tiny()), {"a"});
  const std::string whole = read_file(file, 100'000);
  EXPECT_THAT(say(whole.substr(0, whole.size() - 1)), HasSubstr("[safetensors] " + file));
  EXPECT_EQ(say(to_safetensors({}, {})),
            "[weights] " + file +
                " was not written by sluice: its metadata lacks format and class_names");
  EXPECT_EQ(say(to_safetensors({}, {{"format", "sluice 9"}, {"class_names", "[]"}})),
            "[weights] " + file +
                " has the format 'sluice 9', not 'sluice 1': use the sluice that wrote it");
  for (const char* names : {"", "[1]", "{}", "[[\"a\"]]", "3", "[\"a\""}) {
    EXPECT_EQ(say(to_safetensors({}, {{"format", "sluice 1"}, {"class_names", names}})),
              "[weights] " + file + ": class_names in its metadata is not a JSON list of strings")
        << names;
  }
}

}  // namespace
}  // namespace sluice
