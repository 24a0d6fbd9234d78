#include "sluice/predictor.h"

#include <set>
#include <thread>

#include "formats/model/model_file_testing.h"
#include "sluice/lab/run_folder.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

/// Returns a picture in one of many patterns.
Image picture(int number, int height = 4, int width = 4) {
  Image image{height, width, {}};
  for (int i = 0; i < height * width * 3; ++i) {
    image.pixels.push_back(
        static_cast<std::uint8_t>((number * 37 + i * i * (number % 5 + 1)) & 255));
  }
  return image;
}

std::vector<float> values_of(const Image& image) {
  std::vector<float> values;
  for (const std::uint8_t pixel : image.pixels) values.push_back(static_cast<float>(pixel) / 255.f);
  return values;
}

bool equal(const Prediction& a, const Prediction& b) {
  return a.scores == b.scores && a.best == b.best && a.frozen == b.frozen &&
         a.route->group == b.route->group && a.route->gate == b.route->gate &&
         a.route->baseline == b.route->baseline && a.route->expert == b.route->expert &&
         a.route->importance == b.route->importance;
}

class PredictorTest : public testing::Test {
 protected:
  PredictorTest() {
    run_.write_experiment(experiment_);
    run_.write_model("mixture", saved_mixture());
    SavedModel baseline = saved_network();
    baseline.class_names = saved_mixture().class_names;
    run_.write_model("baseline", baseline);
  }

  static Experiment of_classes() {
    Experiment experiment{.name = "r", .data = {}, .groups = saved_mixture().groups, .lab = {}};
    experiment.data.set = "folder";
    return experiment;
  }

  ScratchFolder folder_;
  Experiment experiment_ = of_classes();
  RunFolder run_ = RunFolder::create(folder_ / "r", experiment_);
};

TEST_F(PredictorTest, TellsAnswerRouteAndFrozenBaseline) {
  const Predictor predictor(run_.path(), {.batch = 2});
  EXPECT_EQ(predictor.name(), "mixture");
  EXPECT_EQ(predictor.class_names(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(predictor.groups()[1].name, "right");
  const std::vector<Image> images{picture(1), picture(2), picture(3)};
  const std::vector<Prediction> predictions = predictor.predict(images);
  ASSERT_EQ(predictions.size(), 3u);
  const SavedMixture mixture = saved_mixture();
  const SavedModel baseline = saved_network();
  const auto compiled = compile_for_inference(mixture.model, mixture.weights, {.batch = 2});
  const auto frozen = compile_for_inference(baseline.model, baseline.weights, {.batch = 2});
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Prediction& one = predictions[i];
    const std::vector<float> values = values_of(images[i]);
    const std::span<const float> outputs = compiled->predict(values, 1);
    const float sum = outputs[0] + outputs[1] + outputs[2];
    for (int c = 0; c < 3; ++c) {
      EXPECT_NEAR(one.scores[c], outputs[c] / sum, 1e-6);
      EXPECT_LE(one.scores[c], one.scores[one.best]);
      EXPECT_NEAR(one.frozen[c], frozen->predict(values, 1)[c], 1e-6);
      const Prediction::Route& route = *one.route;
      const float score = route.baseline[c] * route.importance[2 * c] +
                          route.expert[c] * route.importance[2 * c + 1];
      EXPECT_NEAR(score / sum, one.scores[c], 1e-6);
    }
    EXPECT_EQ(one.route->group, chosen_group(one.route->gate));
  }
}

/// Several threads predict some images each, at the same time, as in a server.
TEST_F(PredictorTest, FourThreadsGetTheAnswersOfOne) {
  constexpr int kThreads = 4;
  constexpr int kImages = 12;
  const Predictor predictor(run_.path(), {.batch = 5});
  std::vector<std::vector<Image>> images(kThreads);
  std::vector<std::vector<Prediction>> alone;
  std::set<int> groups;
  for (int t = 0; t < kThreads; ++t) {
    for (int i = 0; i < kImages; ++i) images[t].push_back(picture(t * kImages + i, 3 + t, 5));
    alone.push_back(predictor.predict(images[t]));
    for (const Prediction& one : alone.back()) groups.insert(one.route->group);
  }
  EXPECT_EQ(groups.size(), 2u) << "all go one way: routes that are mixed up would not be seen";
  for (int round = 0; round < 20; ++round) {
    std::vector<std::vector<Prediction>> together(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] { together[t] = predictor.predict(images[t]); });
    }
    for (std::thread& thread : threads) thread.join();
    for (int t = 0; t < kThreads; ++t) {
      ASSERT_EQ(together[t].size(), alone[t].size());
      for (int i = 0; i < kImages; ++i) EXPECT_TRUE(equal(together[t][i], alone[t][i])) << t << i;
    }
  }
}

TEST_F(PredictorTest, ReadsFilesAndTellsWhichItCannotRead) {
  const Predictor predictor(run_.path() / "mixture/model.safetensors", {.batch = 2});
  std::vector<std::filesystem::path> files;
  std::vector<Image> images;
  for (int i = 0; i < 5; ++i) {
    images.push_back(picture(i, 6, 7));
    files.push_back(folder_ / (std::to_string(i) + ".png"));
    if (i != 3) write_png(files[i], images[i].pixels, 6, 7);
  }
  const std::vector<Predictor::OfFile> answers = predictor.predict_files(files);
  const std::vector<Prediction> expected = predictor.predict(images);
  ASSERT_EQ(answers.size(), 5u);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(answers[i].fault.has_value(), i == 3);
    EXPECT_TRUE(i == 3 || equal(answers[i].prediction, expected[i])) << i;
  }
  EXPECT_THAT(answers[3].fault->what(), HasSubstr("3.png"));
  EXPECT_TRUE(answers[0].prediction.frozen.empty()) << "a file has no frozen baseline";
  EXPECT_FALSE(predictor.has_frozen());
}

TEST_F(PredictorTest, OneNetworkHasNoRoute) {
  SavedModel gate = saved_network();
  gate.class_names = {"a", "b", "c"};
  run_.write_model("gate", gate);
  const Predictor predictor(run_.path() / "gate/model.safetensors");
  EXPECT_TRUE(predictor.groups().empty());
  const Image image = picture(1);
  const Prediction one = predictor.predict({&image, 1}).front();
  EXPECT_FALSE(one.route.has_value());
  EXPECT_TRUE(one.frozen.empty());
  EXPECT_NEAR(one.scores[0] + one.scores[1] + one.scores[2], 1, 1e-6);
  EXPECT_TRUE(predictor.predict(std::span<const Image>()).empty());
}

/// Pictures become inputs as in training: the model's file says how.
TEST_F(PredictorTest, ResizesAsTheModelsFileSays) {
  Sequential grey = tiny();
  grey.input = {4, 4, 1};
  SavedModel saved{grey, Weights(grey), {"a", "b", "c"}, Resize::pad, false};
  saved.weights.initialize(1, 2);
  run_.write_model("gate", saved);
  const Predictor predictor(run_.path() / "gate/model.safetensors");
  EXPECT_EQ(predictor.input_shape(), (Shape{4, 4, 1}));
  EXPECT_EQ(predictor.resize(), Resize::pad);
  EXPECT_FALSE(predictor.reading().exif_orientation);
  EXPECT_EQ(predictor.reading().height, 4);
  const Image image = picture(1, 9, 5);
  const Prediction one = predictor.predict({&image, 1}).front();
  const auto scores_of = [&](Resize resize) {
    std::vector<float> values;
    for (const std::uint8_t pixel : fitted(image, {4, 4, 1}, resize)) {
      values.push_back(static_cast<float>(pixel) / 255.f);
    }
    const auto compiled = compile_for_inference(saved.model, saved.weights, {.batch = 1});
    return compiled->predict(values, 1)[0];
  };
  EXPECT_NEAR(one.scores[0], scores_of(Resize::pad), 1e-6);
  EXPECT_GT(std::abs(one.scores[0] - scores_of(Resize::stretch)), 1e-5);
  EXPECT_EQ(Predictor(run_.path()).resize(), Resize::stretch) << "a file without it";
  EXPECT_TRUE(Predictor(run_.path()).reading().exif_orientation);
}

TEST_F(PredictorTest, WithoutAPositiveSumThereIsNoAnswer) {
  SavedMixture saved = saved_mixture();
  for (std::size_t g = 0; g < 2; ++g) {
    // Baseline and expert give all to class 0, and the importances, a softmax over six values, give
    // all to class 1. So the sum of the outputs is 0.
    for (Weights* part : {&saved.weights.baseline, &saved.weights.experts[g]}) {
      std::ranges::fill(part->values(), 0.f);
      part->values().end()[-3] = 200;
    }
    std::ranges::fill(saved.weights.importances[g].values(), 0.f);
    saved.weights.importances[g].values().end()[-4] = 200;
  }
  run_.write_model("mixture", saved);
  const Predictor predictor(run_.path());
  const Image image = picture(1);
  const Prediction one = predictor.predict({&image, 1}).front();
  EXPECT_EQ(one.best, -1);
  EXPECT_EQ(one.scores, (std::vector<float>{0, 0, 0}));
}

TEST_F(PredictorTest, PathsWithoutAModelAndOtherClassesAreRefused) {
  const auto said = [](const std::filesystem::path& path) {
    return error_of(Fault::user, [&] { Predictor predictor(path); });
  };
  EXPECT_THAT(said(folder_ / "nowhere"), HasSubstr("nowhere does not exist"));
  const RunFolder empty = RunFolder::create(folder_ / "empty", experiment_);
  EXPECT_THAT(said(empty.path()), HasSubstr("empty has no trained model yet"));
  empty.write_model("gate", saved_network());
  EXPECT_THAT(said(empty.path()), HasSubstr("such as " + (folder_ / "empty/gate").string()));
  SavedModel other = saved_network();
  other.class_names = {"c", "b", "a"};
  run_.write_model("baseline", other);
  EXPECT_THAT(said(run_.path()), HasSubstr("a baseline and a mixture of different classes"));
}

}  // namespace
}  // namespace sluice
