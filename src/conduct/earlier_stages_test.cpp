// Tests of runs of one network that is trained in stages.

#include <gmock/gmock.h>

#include "sluice/lab/report.h"
#include "sluice/lab/run.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

/// A dense layer for two experts, which are trained after it.
Experiment of_experts() {
  Experiment experiment;
  experiment.name = "staged";
  experiment.data = {.train_images = 60, .test_images = 20};
  LabOptions& lab = experiment.lab;
  lab.network.name = "layers";
  lab.network.layers.layers = {
      Conv2D{"conv", 4, 5, Activation::relu, 4}, GlobalAveragePooling2D{"means"}, Dense{"gate", 2},
      MixtureOfExperts{.name = "experts",
                       .experts = {Sequential{.name = "expert1", .layers = {Dense{"dense", 6}}},
                                   Sequential{.name = "expert2", .layers = {Dense{"dense", 6}}}},
                       .top_k = 2}};
  lab.network.layers.inputs = {{"experts", {"means", "gate"}}};
  lab.epochs.baseline = 2;
  lab.before = {{.name = "dense", .epochs = 2, .experts = false}};
  return experiment;
}

/// Keeps the first state of each stage, and can stop a run.
class StageWatcher : public RunObserver {
 public:
  explicit StageWatcher(int stop_at = 0) : stop_at_(stop_at) {}

  bool should_stop() override { return ++asked >= stop_at_ && stop_at_ > 0; }
  void on_stage(const StageStart& start) override { stages.push_back(start.stage.name); }
  void on_step(const Progress&) override { ++steps; }
  void on_note(const std::string& line) override { notes.push_back(line); }

  int asked = 0;
  int steps = 0;
  std::vector<std::string> stages;
  std::vector<std::string> notes;

 private:
  int stop_at_;
};

class EarlierStages : public testing::Test {
 protected:
  Results train(const Experiment& experiment, const std::string& folder, RunObserver& observer) {
    return run(experiment, {.folder = folder_ / folder, .data = "builtin"}, observer);
  }
  std::string bytes(const std::string& run, const std::string& model = "baseline") const {
    return load(folder_.path() / run / model / "model.safetensors");
  }
  SavedModel model(const std::string& run, const std::string& name) const {
    return RunFolder::open(folder_ / run).read_model(name);
  }
  static std::vector<float> tensor(const Weights& weights, const std::string& layer,
                                   const std::string& kind) {
    for (const Weights::Tensor& each : weights.tensors()) {
      if (each.layer != layer || each.kind != kind) continue;
      const std::span<const float> values = weights.values(each);
      return {values.begin(), values.end()};
    }
    ADD_FAILURE() << "no " << layer << "/" << kind;
    return {};
  }

  int runs_ = 0;
  // Hides gnuplot, whose figures take longer than the rest.
  ScratchFolder folder_;
  ScopedVariable path_{"PATH", folder_.path().c_str()};
};

TEST_F(EarlierStages, LeaveTheirModelsAndTheirWork) {
  StageWatcher watcher;
  const Results results = train(of_experts(), "run", watcher);
  EXPECT_THAT(watcher.stages, ElementsAre("dense", "baseline"));
  ASSERT_EQ(results.earlier.size(), 1u);
  EXPECT_EQ(results.earlier[0].result.history.images, 120);
  EXPECT_EQ(results.baseline.history.images, 120);
  EXPECT_EQ(all_stages(results).images, 240);
  for (const char* file : {"dense/model.safetensors", "dense/history.csv", "report.html"}) {
    EXPECT_TRUE(fs::exists(folder_ / "run" / file)) << file;
  }
  const std::string json = load(folder_.path() / "run/results.json");
  EXPECT_THAT(json, HasSubstr("\"before\": {\n    \"dense\": {"));
  EXPECT_THAT(json, HasSubstr("\"images_trained_on\": 240"));
  EXPECT_THAT(load(folder_.path() / "run/report.html"),
              HasSubstr("\"dense\": {\n          \"epoch\""));
  EXPECT_EQ(comparison_text(results).find("120"), std::string::npos);
  EXPECT_THAT(comparison_text(results), HasSubstr("240"));
  EXPECT_THAT(RunFolder::open(folder_ / "run").models(), ElementsAre("baseline"));
}

TEST_F(EarlierStages, StoppedAnywhereTheyEndInTheSameBits) {
  Experiment experiment = of_experts();
  experiment.lab.before.push_back({.name = "joint", .epochs = 1, .keep_optimizer = false});
  StageWatcher whole;
  train(experiment, "whole", whole);
  int stops = 0;
  int steps = 0;
  StageWatcher first(4);
  EXPECT_THROW(train(experiment, "run", first), Stopped);
  steps += first.steps;
  for (int at = 5;; at = 4 * at / 3, ++stops) {
    StageWatcher next(at);
    try {
      resume(folder_ / "run", {.data = "builtin"}, next);
      steps += next.steps;
      break;
    } catch (const Stopped&) {
      steps += next.steps;
    }
    ASSERT_LT(stops, 50);
  }
  EXPECT_EQ(steps, whole.steps) << "no step is done twice";
  EXPECT_GT(stops, 4);
  for (const char* name : {"dense", "joint", "baseline"}) {
    EXPECT_EQ(bytes("run", name), bytes("whole", name)) << name;
  }
}

TEST_F(EarlierStages, ExpertsBeginAsClonesAndFrozenLayersStay) {
  Experiment experiment = of_experts();
  experiment.lab.network.freeze = {"conv", "experts*"};
  StageWatcher watcher;
  train(experiment, "run", watcher);
  const SavedModel dense = model("run", "dense");
  const SavedModel last = model("run", "baseline");
  const std::vector<float> kernel = tensor(dense.weights, "experts.dense", "kernel");
  EXPECT_EQ(tensor(last.weights, "experts", "expert1/dense/kernel"), kernel);
  EXPECT_EQ(tensor(last.weights, "experts", "expert2/dense/kernel"), kernel);
  EXPECT_EQ(tensor(last.weights, "conv", "kernel"), tensor(dense.weights, "conv", "kernel"));
  EXPECT_NE(tensor(last.weights, "output", "kernel"), tensor(dense.weights, "output", "kernel"));
}

/// A network without experts in two halves: all images are one batch, so that the order of the
/// images changes nothing but rounding.
TEST_F(EarlierStages, HalvesAreTheWhole) {
  Experiment whole = of_experts();
  whole.data.train_images = 30;
  whole.lab.network.layers.layers = {Conv2D{"conv", 4, 5, Activation::relu, 4},
                                     GlobalAveragePooling2D{"means"}};
  whole.lab.network.layers.inputs.clear();
  whole.lab.before.clear();
  whole.lab.epochs.baseline = 6;
  whole.lab.optimizer.learning_rate = 0.03;
  whole.lab.optimizer.schedule = {.name = "linear", .warmup = 0.5};
  for (const char* optimizer : {"adam", "sgd"}) {
    whole.lab.optimizer.name = optimizer;
    whole.lab.optimizer.momentum = std::string(optimizer) == "sgd" ? 0.9 : 0;
    const auto trained = [&](const Experiment& experiment) {
      StageWatcher watcher;
      const std::string name = optimizer + std::to_string(++runs_);
      train(experiment, name, watcher);
      return tensor(model(name, "baseline").weights, "conv", "kernel");
    };
    // The halves begin with the weights that the whole begins with.
    Experiment first = whole;
    first.lab.epochs.baseline = 1;
    first.lab.optimizer.learning_rate = 1e-30;
    trained(first);
    const std::string start = (folder_ / (optimizer + std::to_string(runs_))).string();
    const auto begun = [&](Experiment experiment) {
      experiment.weights = start;
      return experiment;
    };
    const std::vector<float> expected = trained(begun(whole));
    Experiment halves = begun(whole);
    halves.lab.before = {{.name = "half", .epochs = 4}};
    halves.lab.epochs.baseline = 2;
    EXPECT_THAT(trained(halves), testing::Pointwise(testing::FloatNear(2e-6F), expected));
    Experiment apart = halves;
    apart.lab.before[0].keep_optimizer = false;
    EXPECT_THAT(trained(apart),
                testing::Not(testing::Pointwise(testing::FloatNear(1e-4F), expected)));
    Experiment slower = halves;
    slower.lab.before[0].learning_rate = 1e-30;
    EXPECT_THAT(trained(slower),
                testing::Not(testing::Pointwise(testing::FloatNear(1e-4F), expected)));
  }
}

TEST_F(EarlierStages, OneThatDoesNotFitIsRefusedBeforeAnythingIsTrained) {
  Experiment experiment = of_experts();
  experiment.lab.before[0].freeze = {"convv"};
  StageWatcher watcher;
  EXPECT_THAT(error_of(Fault::user, [&] { train(experiment, "refused", watcher); }),
              HasSubstr("convv"));
  EXPECT_FALSE(fs::exists(folder_ / "refused"));
}

}  // namespace
}  // namespace sluice
