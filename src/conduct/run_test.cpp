#include "sluice/lab/run.h"

#include <map>
#include <numeric>

#include "tests/scratch.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Experiment small() {
  Experiment experiment;
  experiment.name = "small";
  experiment.data = {.train_images = 40, .test_images = 20};
  experiment.groups = {{"artificial", {"airplane", "automobile", "ship", "truck"}},
                       {"natural", {"bird", "cat", "deer", "dog", "frog", "horse"}}};
  experiment.lab.epochs = {1, 1, 1, 1};
  return experiment;
}

/// Keeps what is reported, and wants to stop after a number of calls of should_stop().
class Recorder : public RunObserver {
 public:
  explicit Recorder(int stop_at = 0) : stop_at_(stop_at) {}

  bool should_stop() override { return ++asked >= stop_at_ && stop_at_ > 0; }
  void on_note(const std::string& line) override { notes.push_back(line); }
  void on_begin(const RunStart& start) override {
    told.push_back("begin " + std::to_string(start.train.size() + start.test.size()));
  }
  void on_stage(const StageStart& start) override {
    if (checks_numbers) {
      EXPECT_EQ(start.number, stages++ % stage_count + 1);
      EXPECT_EQ(start.count, stage_count);
    }
    told.push_back(start.stage.name + " " + std::to_string(start.train.size()));
  }
  void on_resumed(const FitState& state) override {
    told.push_back(state.finished ? "before" : "resumed");
  }
  void on_step(const Progress&) override { ++steps; }
  void on_epoch(const Progress&, const Epoch&) override { told.push_back("epoch"); }
  void on_model(const Stage& stage, const ModelResult& result,
                const std::vector<LayerProfile>& profile) override {
    EXPECT_FALSE(profile.empty());
    told.push_back(stage.name + " of " + std::to_string(result.test.confusion.total()));
  }
  void on_groups(const ClassConfusions& confusions,
                 const std::vector<Groups::Group>& groups) override {
    EXPECT_EQ(std::accumulate(confusions.counts.begin(), confusions.counts.end(), 0),
              validation_images)
        << "by the validation images, and no others";
    told.push_back("groups " + std::to_string(groups.size()));
  }
  void on_results(const Results& results) override {
    told.push_back("results of " + std::to_string(results.experts.size()));
  }

  int asked = 0;
  int stages = 0;
  int stage_count = 5;
  bool checks_numbers = true;
  int validation_images = 50;  ///< by which groups are found
  int steps = 0;
  std::vector<std::string> told;
  std::vector<std::string> notes;

 private:
  int stop_at_;
};

class RunTest : public testing::Test {
 protected:
  RunOptions options(const std::string& folder) const {
    return {.folder = folder_ / folder, .data = "builtin"};
  }
  /// Returns the bytes of every model file.
  std::map<std::string, std::string> models(const std::string& run) const {
    std::map<std::string, std::string> models;
    for (const std::string& name : RunFolder::open(folder_ / run).models()) {
      models[name] = load(folder_.path() / run / name / "model.safetensors");
    }
    return models;
  }

  // Hides gnuplot, whose figures take longer than the rest.
  ScratchFolder folder_;
  ScopedVariable path_{"PATH", folder_.path().c_str()};
};

TEST_F(RunTest, TellsItsObserverAndLeavesAWholeFolder) {
  Recorder recorder;
  const Results results = run(small(), options("run"), recorder);
  EXPECT_THAT(recorder.told,
              ElementsAre("begin 60", "baseline 40", "epoch", "baseline of 20",
                          "expert-artificial 16", "epoch", "expert-artificial of 8",
                          "expert-natural 24", "epoch", "expert-natural of 12", "gate 40", "epoch",
                          "gate of 20", "mixture 40", "epoch", "mixture of 20", "results of 2"));
  EXPECT_EQ(recorder.steps, 2 + 1 + 1 + 2 + 2);
  EXPECT_THAT(recorder.notes, ElementsAre(HasSubstr("gnuplot is missing")));
  EXPECT_EQ(results.experts[1].group, "natural");
  EXPECT_EQ(results.experts[1].result.whole->confusion.total(), 20);
  for (const char* file : {"report.html", "results.json", "SHA256SUMS", "mixture/history.csv"}) {
    EXPECT_GT(fs::file_size(folder_ / "run" / file), 0u) << file;
  }
  EXPECT_FALSE(fs::exists(folder_ / "run/checkpoints"));
  EXPECT_FALSE(fs::exists(folder_ / "run/tensorboard"));
  EXPECT_THAT(error_of(Fault::user, [&] { resume(folder_ / "run", {}, recorder); }),
              HasSubstr("run is finished: to train again"));
  EXPECT_THAT(error_of(Fault::user, [&] { run(small(), options("run"), recorder); }),
              HasSubstr("run is not empty"));
}

/// Each attempt gets further.
TEST_F(RunTest, StoppedAndResumedItEndsInTheSameBits) {
  Recorder whole;
  RunOptions with_curves = options("whole");
  with_curves.tensorboard = true;
  run(small(), with_curves, whole);
  int stops = 0;
  const auto until_it_stops = [&](const auto& call) {
    try {
      call();
      return false;
    } catch (const Stopped&) {
      ++stops;
      return true;
    }
  };
  Recorder first(4);  // called before two pictures and the baseline, and after its first step
  RunOptions begun = options("run");
  begun.tensorboard = true;
  ASSERT_TRUE(until_it_stops([&] { run(small(), begun, first); }));
  int steps = first.steps;
  EXPECT_EQ(steps, 1);
  for (int at = 5;; at *= 3) {
    Recorder next(at);
    const bool stopped =
        until_it_stops([&] { resume(folder_ / "run", {.data = "builtin"}, next); });
    steps += next.steps;
    if (!stopped) break;
    ASSERT_LT(stops, 20);
  }
  EXPECT_EQ(steps, whole.steps) << "no step is done twice";
  EXPECT_GT(stops, 1);
  EXPECT_EQ(models("run"), models("whole"));
  EXPECT_EQ(models("run").size(), 5u);
  EXPECT_TRUE(fs::exists(folder_ / "run/tensorboard/mixture/train")) << "goes on with its curves";
}

TEST_F(RunTest, FindsItsGroupsByTheBaselineAndEndsAsIfTheyWereDeclared) {
  Experiment experiment = small();
  experiment.data.train_images = 100;
  experiment.lab.network.width = 0.1;
  experiment.lab.validation_split = 0.5;
  experiment.groups.clear();
  experiment.finds_groups = true;
  experiment.lab.controls.average = true;
  Recorder recorder;
  recorder.checks_numbers = false;
  const Results found = run(experiment, options("found"), recorder);
  ASSERT_GE(found.experiment.groups.size(), 2);
  EXPECT_THAT(recorder.told, Contains("groups " + std::to_string(found.experts.size())));
  EXPECT_EQ(found.controls.size(), 1);

  // Stopped anywhere, before and after the groups are found.
  for (const int stop_at : {12, 25, 60}) {
    const std::string name = "stopped" + std::to_string(stop_at);
    Recorder stops(stop_at);
    stops.checks_numbers = false;
    EXPECT_THROW(run(experiment, options(name), stops), Stopped);
    Recorder rest;
    rest.checks_numbers = false;
    resume(folder_ / name, options(""), rest);
    EXPECT_EQ(models(name), models("found")) << stop_at;
  }

  Experiment declared = experiment;
  declared.finds_groups = false;
  declared.groups = found.experiment.groups;
  Recorder other;
  other.checks_numbers = false;
  run(declared, options("declared"), other);
  EXPECT_EQ(models("declared"), models("found"));
  EXPECT_THAT(other.told, testing::Not(Contains(StartsWith("groups"))));

  // The file asks for groups again; the run knows which it found.
  const Experiment kept = RunFolder::open(folder_ / "found").read_experiment();
  EXPECT_TRUE(kept.finds_groups);
  EXPECT_EQ(groups_toml(kept.groups), groups_toml(declared.groups));
  EXPECT_EQ(difference(kept, experiment), "");
  EXPECT_THAT(difference(kept, declared), HasSubstr("groups"));
}

TEST_F(RunTest, FindsGroupsOfAFoldersClasses) {
  const std::vector<std::string> classes{"kiwi", "lemon", "plum", "rose"};
  for (std::size_t c = 0; c < classes.size(); ++c) {
    for (const auto& [half, count] : {std::pair{"train", 8}, {"test", 2}, {"val", 2}}) {
      const fs::path folder = folder_.path() / "garden" / half / classes[c];
      fs::create_directories(folder);
      for (int i = 0; i < count; ++i) {
        write_png(folder / (std::to_string(i) + ".png"),
                  std::vector<std::uint8_t>(192, static_cast<std::uint8_t>(60 * c + i)), 8, 8);
      }
    }
  }
  Experiment garden = small();
  garden.data = {.set = "folder", .height = 8, .width = 8};
  garden.groups.clear();
  garden.finds_groups = true;
  garden.lab.network.width = 0.1;
  RunOptions with_garden = options("garden-run");
  with_garden.data = folder_ / "garden";
  Recorder recorder;
  recorder.checks_numbers = false;
  recorder.validation_images = 8;
  const Results found = run(garden, with_garden, recorder);
  const RunFolder folder = RunFolder::open(folder_ / "garden-run");
  EXPECT_EQ(groups_toml(folder.read_experiment().groups), groups_toml(found.experiment.groups));
  EXPECT_EQ(folder.models().size(), 3 + found.experts.size());
}

TEST_F(RunTest, FindsNoGroupsByTestImages) {
  Experiment experiment = small();
  experiment.groups.clear();
  experiment.finds_groups = true;
  const auto refusal = [&] {
    Recorder recorder;
    return error_of(Fault::user, [&] { run(experiment, options("refused"), recorder); });
  };
  EXPECT_THAT(refusal(), HasSubstr("no validation images, and test images must not decide"));
  experiment.lab.validation_split = 0.05;
  EXPECT_THAT(refusal(), HasSubstr("has no validation image, by which groups = \"auto\" is found"));
  EXPECT_FALSE(fs::exists(folder_ / "refused"));
}

TEST_F(RunTest, StopsBetweenTheBatchesOfItsLastEvaluations) {
  Experiment one = small();
  one.groups = {};
  Recorder whole;
  whole.stage_count = 1;
  run(one, options("whole"), whole);
  constexpr int kMeasuringLatency = 100;  // of more than 200 images, one by one
  for (const int before_its_end : {kMeasuringLatency, 0}) {
    Recorder stopping(whole.asked - before_its_end);
    stopping.stage_count = 1;
    EXPECT_THROW(run(one, options("run"), stopping), Stopped);
    EXPECT_THAT(stopping.told, Contains(StartsWith("baseline of")));
    EXPECT_FALSE(fs::exists(folder_ / "run/report.html"));
    fs::remove_all(folder_ / "run");
  }
}

TEST_F(RunTest, StopsWhileItLoadsAndRefusesGroupsBeforeItMakesAFolder) {
  const std::vector<std::uint8_t> pixels(12, 7);
  for (const char* half : {"train", "test"}) {
    for (const char* name : {"cat", "dog"}) {
      fs::create_directories(folder_.path() / "pets" / half / name);
      write_png(folder_.path() / "pets" / half / name / "1.png", pixels, 2, 2);
    }
  }
  Experiment pets = small();
  pets.data = {.set = "folder"};
  pets.groups = {{"a", {"cat"}}, {"b", {"dog"}}};
  RunOptions with_pets = options("run");
  with_pets.data = folder_ / "pets";
  Recorder recorder(1);
  EXPECT_THROW(run(pets, with_pets, recorder), Stopped);
  pets.groups[1].classes.push_back("cat");
  pets.file = "my.toml";
  EXPECT_THAT(error_of(Fault::user, [&] { run(pets, with_pets, recorder); }),
              HasSubstr("my.toml: class 'cat' is in 'a' and in 'b'"));
  pets.groups.clear();
  pets.lab.loss.class_weight.of = {{"cow", 2}};
  EXPECT_THAT(error_of(Fault::user, [&] { run(pets, with_pets, recorder); }),
              HasSubstr("train.class_weight: cow is no class and no group: give one of cat, dog"));
  EXPECT_FALSE(fs::exists(folder_ / "run"));
  EXPECT_THAT(recorder.told, ElementsAre());
}

TEST_F(RunTest, SeedsGiveAMeanAndContinueAfterAStop) {
  Experiment one = small();
  one.groups = {};
  one.lab.seed = 3;
  const RunOptions to = options("seeds");
  Recorder stopping(2);
  stopping.stage_count = 1;
  EXPECT_THROW(run_seeds(one, 2, to, stopping), Stopped);
  Recorder rest;
  rest.stage_count = 1;
  const SeedRuns seeds = run_seeds(one, 2, to, rest);
  EXPECT_EQ(stopping.steps + rest.steps, 4) << "no step is done twice";
  ASSERT_EQ(seeds.runs.size(), 2u);
  EXPECT_EQ(seeds.runs[1].seed, 4u);
  EXPECT_EQ(RunFolder::open(folder_ / "seeds/seed-4").read_experiment().lab.seed, 4u);
  const double a = seeds.runs[0].baseline;
  const double b = seeds.runs[1].baseline;
  EXPECT_NEAR(seeds.baseline.mean, (a + b) / 2, 1e-12);
  EXPECT_NEAR(seeds.baseline.deviation, std::abs(a - b) / std::sqrt(2), 1e-12);
  EXPECT_FALSE(seeds.mixture.has_value());
  EXPECT_THAT(load(folder_.path() / "seeds/seeds.json"), HasSubstr("\"standard_deviation\""));
  Recorder again;
  EXPECT_EQ(run_seeds(one, 2, to, again).baseline.mean, seeds.baseline.mean);
  EXPECT_EQ(again.steps, 0);
  one.data.train_images = 30;
  EXPECT_THAT(error_of(Fault::user, [&] { run_seeds(one, 2, to, again); }),
              HasSubstr("seed-3 is a run of another experiment: data.train_images was 40"));
}

TEST_F(RunTest, BeginsWithOtherWeightsAndLeavesFrozenOnes) {
  Experiment experiment = small();
  experiment.groups.clear();
  experiment.lab.network.width = 0.1;
  Recorder recorder;
  recorder.stage_count = 1;
  run(experiment, options("first"), recorder);
  experiment.weights = (folder_ / "first").string();
  experiment.lab.network.freeze = {"conv*"};
  experiment.lab.seed = 1;
  experiment.lab.epochs.baseline = 2;
  Recorder told;
  told.stage_count = 1;
  run(experiment, options("whole"), told);
  EXPECT_THAT(told.notes, Contains(HasSubstr("12 of 12 tensors begin with the values of ")));
  const SavedModel first = RunFolder::open(folder_ / "first").read_model("baseline");
  const SavedModel second = RunFolder::open(folder_ / "whole").read_model("baseline");
  const auto values_of = [](const SavedModel& model, std::size_t t) {
    const auto values = model.weights.values(model.weights.tensors()[t]);
    return std::vector<float>(values.begin(), values.end());
  };
  for (std::size_t t = 0; t < first.weights.tensors().size(); ++t) {
    const bool is_frozen = first.weights.tensors()[t].layer.starts_with("conv");
    EXPECT_EQ(values_of(first, t) == values_of(second, t), is_frozen)
        << first.weights.tensors()[t].layer;
  }

  Recorder stopped(6);
  stopped.stage_count = 1;
  EXPECT_THROW(run(experiment, options("stopped"), stopped), Stopped);
  fs::remove_all(folder_ / "first");
  resume(folder_ / "stopped", {.data = "builtin"}, recorder);
  EXPECT_EQ(models("stopped"), models("whole")) << "it has a copy of what it began with";
}

TEST_F(RunTest, RefusesWeightsThatDoNotFit) {
  Experiment experiment = small();
  Recorder recorder;
  run(experiment, options("mixture"), recorder);
  experiment.groups.clear();
  recorder.stage_count = 1;
  const auto refusal = [&](const std::string& weights) {
    experiment.weights = weights;
    return error_of(Fault::user, [&] { run(experiment, options("refused"), recorder); });
  };
  const std::string mixture = (folder_ / "mixture").string();
  EXPECT_THAT(refusal("nowhere"), HasSubstr("nowhere"));
  EXPECT_THAT(refusal(mixture + "/mixture/model.safetensors"),
              HasSubstr("is a mixture: give one of its parts, like baseline/model.safetensors"));
  experiment.lab.network.name = "resnet20";
  EXPECT_THAT(refusal(mixture), HasSubstr("has the name and the shapes of one of the network, like"));
  EXPECT_FALSE(fs::exists(folder_ / "refused"));
}

TEST_F(RunTest, DownloadsByWhatItsObserverGives) {
  struct Asked {};
  struct Downloader : RunObserver {
    DataEvents loading() override {
      DataEvents events;
      events.download = [](const DataEvents&) -> fs::path { throw Asked(); };
      return events;
    }
  } downloader;
  const ScopedVariable cache("XDG_CACHE_HOME", folder_.path().c_str());
  const ScopedVariable data("SLUICE_DATA", "");
  EXPECT_THROW(run(small(), {.folder = folder_ / "run"}, downloader), Asked);
}

}  // namespace
}  // namespace sluice
