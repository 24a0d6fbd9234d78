#include "sluice/lab/frontier.h"

#include "sluice/lab/run.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A cascade of 8 and 16 filters on the built-in images.
Experiment small_cascade() {
  Sequential expert{"expert1"};
  expert.layers = {Conv2D{"conv", 16, {3}, Activation::relu, {4}}, GlobalMaxPooling2D{"pool"},
                   Dense{"logits", 10}};
  Experiment experiment;
  experiment.name = "small";
  experiment.data = {.train_images = 60, .test_images = 30};
  experiment.lab.network.name = "layers";
  Sequential& layers = experiment.lab.network.layers;
  layers.layers = {Conv2D{"conv", 8, {3}, Activation::relu, {4}}, GlobalMaxPooling2D{"pool"},
                   Dense{"first", 10}, Cascade{.name = "cascade", .experts = {expert}}};
  layers.inputs["cascade"] = {"images", "first"};
  experiment.lab.validation_split = 0.5;
  experiment.lab.epochs = {2, 2, 2, 2};
  experiment.frontier = {.seeds = 2, .widths = {1, 1.01, 2, 100}, .work = {1}};
  return experiment;
}

class Notes : public RunObserver {
 public:
  explicit Notes(int stop_after_models = 0) : left_(stop_after_models) {}
  bool should_stop() override { return stops_; }
  void on_note(const std::string& line) override { notes.push_back(line); }
  void on_model(const Stage&, const ModelResult&, const std::vector<LayerProfile>&) override {
    ++models;
    stops_ = --left_ == 0;
  }

  int models = 0;
  std::vector<std::string> notes;

 private:
  int left_;
  bool stops_ = false;
};

class FrontierTest : public testing::Test {
 protected:
  Frontier run(const Experiment& experiment, RunObserver& observer) {
    return run_frontier(experiment, {.folder = folder_ / "sweep", .data = "builtin"}, observer);
  }

  // Hides gnuplot, whose figures take longer than the rest.
  ScopedVariable path_{"PATH", "/nowhere"};
  ScratchFolder folder_;
};

TEST_F(FrontierTest, TrainsTheMixtureAndEachDenseNetworkOnceForTheSameWork) {
  Notes notes;
  const Frontier frontier = run(small_cascade(), notes);
  EXPECT_EQ(notes.models, 6);
  EXPECT_THAT(notes.notes, Contains("width 1.01: left out: the same as width 1"));
  EXPECT_THAT(notes.notes, Contains(StartsWith("width 100: left out: an epoch needs more")));
  EXPECT_THAT(frontier.seeds, ElementsAre(0, 1));
  EXPECT_EQ(frontier.test_images, 30);
  std::vector<std::string> words;
  for (const FrontierPoint& point : frontier.points) {
    words.push_back(point.words);
    ASSERT_EQ(point.seeds.size(), 2) << point.words;
    EXPECT_EQ(point.seeds[1].right.size(), 30);
    EXPECT_LE(point.training_flops, frontier.points.front().training_flops) << point.words;
    if (point.kind == FrontierPoint::Kind::dense) {
      EXPECT_GT(point.training_flops * (point.epochs + 1) / point.epochs,
                frontier.points.front().training_flops)
          << point.words << " has one epoch too few";
    }
  }
  EXPECT_THAT(
      words, ElementsAre("mixture", "0% go on", "10% go on", "25% go on", "50% go on", "100% go on",
                         "images chosen at random", "width 1", "width 1, mirror for 53.3%",
                         "width 1, mirror", "width 2", "width 2, mirror"));
  EXPECT_GE(frontier.verdict.rival, 7);
}

TEST_F(FrontierTest, PointsHaveTheAccuraciesOfTheirRuns) {
  Notes notes;
  Experiment experiment = small_cascade();
  experiment.frontier.seeds = 1;
  const Frontier frontier = run(experiment, notes);
  const auto accuracy = [&](const char* run) {
    const std::string json = load(folder_ / "sweep" / "seed-0" / run / "results.json");
    const std::size_t place = json.find("\"accuracy\": ", json.find("\"baseline\""));
    return std::stod(json.substr(place + 12));
  };
  EXPECT_NEAR(frontier.points[0].test(), accuracy("mixture"), 1e-9);
  EXPECT_NEAR(frontier.points[7].test(), accuracy("width-1"), 1e-9);
  EXPECT_GT(frontier.points[0].latency_ms(), 0);
  // A quarter of the validation images goes on; and shares have their work.
  EXPECT_NEAR(frontier.points[0].flops, frontier.points[3].flops, 1e-6);
  const double first = frontier.points[1].flops;
  const double all = frontier.points[5].flops;
  EXPECT_NEAR(frontier.points[4].flops, (first + all) / 2, all * 1e-6);
  EXPECT_EQ(frontier.points[6].test_flops(), frontier.points[0].test_flops());
  // As many images as the mixture's work allows have two views, in whole images.
  constexpr int kValidationImages = 30;
  const double one_image = frontier.points[7].flops / kValidationImages;
  EXPECT_LE(frontier.points[8].flops, frontier.points[0].flops);
  EXPECT_GT(frontier.points[8].flops + one_image, frontier.points[0].flops);
  EXPECT_NEAR(frontier.points[9].flops, 2 * frontier.points[7].flops, 1);
}

TEST_F(FrontierTest, ContinuesWhereItWasStopped) {
  Notes stopped(3);
  EXPECT_THROW(run(small_cascade(), stopped), Stopped);
  EXPECT_FALSE(fs::exists(folder_ / "sweep" / "frontier.json"));
  Notes rest;
  const Frontier frontier = run(small_cascade(), rest);
  EXPECT_THAT(rest.notes, Contains(testing::EndsWith("seed-0/mixture is finished")));
  EXPECT_EQ(rest.models, 4);
  for (const char* file : {"frontier.json", "frontier.html"}) {
    EXPECT_TRUE(fs::exists(folder_ / "sweep" / file)) << file;
  }
  Notes again;
  EXPECT_EQ(sentence(frontier.points, frontier.verdict),
            sentence(run(small_cascade(), again).points, frontier.verdict));
  EXPECT_EQ(again.models, 0);
}

TEST_F(FrontierTest, MixedKernelsAreComparedWithOneKernelAndWithOneMix) {
  Experiment experiment = small_cascade();
  experiment.lab.network.layers = {};
  experiment.lab.network.layers.layers = {
      Conv2D{"conv", 8, 3, Activation::relu, 4},
      CondConv2D{.name = "mixed", .filters = 8, .kernels = 3, .use_bias = false},
      BatchNormalization{"norm"}, GlobalMaxPooling2D{"pool"}};
  experiment.frontier = {.seeds = 2, .widths = {1}};
  Notes notes;
  const Frontier frontier = run(experiment, notes);
  EXPECT_EQ(notes.models, 4);
  std::vector<std::string> words;
  for (const FrontierPoint& point : frontier.points) words.push_back(point.words);
  EXPECT_THAT(words, ElementsAre("mixture", "mirror for 25%", "mirror for 50%", "mirror for 100%",
                                 "one mix for all images", "width 1",
                                 testing::StartsWith("width 1, mirror for "), "width 1, mirror"));
  const FrontierPoint& mixture = frontier.points.front();
  EXPECT_EQ(frontier.points[3].flops, 2 * mixture.flops);
  EXPECT_LT(frontier.points[5].flops, mixture.flops);
  EXPECT_TRUE(frontier.verdict.over_random.has_value());
  for (const FrontierPoint& point : frontier.points) EXPECT_EQ(point.seeds.size(), 2);
}

TEST_F(FrontierTest, TheLabsMixtureIsComparedWithItsBaseline) {
  Experiment experiment = small_cascade();
  experiment.lab.network = CnnSize::small;
  experiment.lab.network.width = 0.05;
  experiment.groups = {{"artificial", {"airplane", "automobile", "ship", "truck"}},
                       {"natural", {"bird", "cat", "deer", "dog", "frog", "horse"}}};
  experiment.frontier = {.seeds = 1, .widths = {1}, .work = {0.25}};
  experiment.lab.epochs = {1, 1, 1, 1};
  experiment.lab.controls.longer = true;
  Notes notes;
  const Frontier frontier = run(experiment, notes);
  EXPECT_EQ(notes.models, 6) << "five of the mixture, without controls, and one";
  ASSERT_EQ(frontier.points.size(), 4) << "a second view is too dear for any image";
  EXPECT_EQ(frontier.points[1].words, "groups chosen at random");
  EXPECT_EQ(frontier.points[2].words, "width 1, work 0.25");
  EXPECT_LE(frontier.points[2].training_flops, frontier.points[0].training_flops / 4);
}

TEST_F(FrontierTest, RefusesWhatItCannotCompare) {
  const auto refusal = [&](const Experiment& experiment) -> std::string {
    Notes notes;
    try {
      run(experiment, notes);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  Experiment experiment = small_cascade();
  experiment.lab.validation_split = 0;
  EXPECT_THAT(refusal(experiment), HasSubstr("train.validation_split=0.1"));
  experiment = small_cascade();
  experiment.lab.network = CnnSize::small;
  EXPECT_THAT(refusal(experiment), HasSubstr("has one network and no mixture: declare [[groups]]"));
  experiment = small_cascade();
  experiment.weights = "runs/before";
  EXPECT_THAT(refusal(experiment), HasSubstr("the work of their training would not count"));
  experiment = small_cascade();
  experiment.frontier.widths = {100};
  EXPECT_THAT(refusal(experiment), HasSubstr("there is no dense network to compare with: see "
                                             "frontier.widths and frontier.work"));
}

}  // namespace
}  // namespace sluice
