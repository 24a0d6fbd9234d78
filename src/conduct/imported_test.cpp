#include "run/run_contents.h"
#include "sluice/lab/report.h"
#include "sluice/lab/run.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int kTest = 30;

class ImportedRunTest : public testing::Test {
 protected:
  ImportedRunTest() {
    experiment_.name = "imported";
    experiment_.data = {.train_images = 20, .test_images = kTest};
    experiment_.groups = {{"artificial", {"airplane", "automobile", "ship", "truck"}},
                          {"natural", {"bird", "cat", "deer", "dog", "frog", "horse"}}};
    experiment_.lab.network.width = 0.125;
  }

  RunFolder folder() { return RunFolder::create(folder_ / "run", experiment_); }

  SavedModel baseline() const {
    const Sequential model = network("baseline", {32, 32, 3}, 10, experiment_.lab.network);
    SavedModel saved{model, Weights(model), classes_};
    saved.weights.initialize(1, 1);
    return saved;
  }

  SavedMixture whole_mixture() const {
    const Groups groups(experiment_.groups, classes_, "test");
    const Mixture model = mixture(groups, {32, 32, 3}, 10, experiment_.lab.network);
    SavedMixture saved{model, MixtureWeights(model), classes_, experiment_.groups};
    std::uint32_t stream = 10;
    for (Weights* part : saved.weights.parts()) part->initialize(1, stream++);
    return saved;
  }

  Results evaluate() {
    RunObserver observer;
    return evaluate_imported(folder_ / "run", "builtin", observer);
  }

  ScratchFolder folder_;
  ScopedVariable path_{"PATH", folder_.path().c_str()};  // hides gnuplot
  Experiment experiment_;
  const std::vector<std::string> classes_{"airplane", "automobile", "bird",  "cat",  "deer",
                                          "dog",      "frog",       "horse", "ship", "truck"};
};

TEST_F(ImportedRunTest, ANetworkGetsWhatAFinishedRunHas) {
  const RunFolder run = folder();
  const SavedModel saved = baseline();
  run.write_model("baseline", saved);
  EXPECT_THAT(error_of(Fault::user, [&] { contents_of(run); }),
              HasSubstr("it was imported; `sluice report "));
  const Results results = evaluate();
  EXPECT_FALSE(results.has_mixture());
  EXPECT_EQ(results.baseline.test.confusion.total(), kTest);
  EXPECT_EQ(results.verdict.baseline.accuracy, results.baseline.test.accuracy);
  EXPECT_GT(results.verdict.baseline.calibration.ece, 0);
  EXPECT_GT(results.baseline.latency_ms, 0);
  EXPECT_EQ(results.baseline.cost.parameters, count_parameters(saved.model));
  EXPECT_EQ(results.train_images, 0u);
  EXPECT_THAT(comparison_text(results), Not(HasSubstr("Training time")));
  for (const char* file : {"report.html", "results.json", "predictions.csv", "SHA256SUMS"}) {
    EXPECT_GT(std::filesystem::file_size(folder_ / "run" / file), 0u) << file;
  }
  const auto contents = contents_of(run);
  EXPECT_TRUE(contents["histories"].empty());
  EXPECT_TRUE(run.imported()) << "still";
  EXPECT_EQ(evaluate().baseline.test.accuracy, results.baseline.test.accuracy) << "again";
}

TEST_F(ImportedRunTest, AMixtureIsComparedWithTheBaselineOrItsOwn) {
  const RunFolder run = folder();
  const SavedMixture saved = whole_mixture();
  run.write_model("mixture", saved);
  const Results alone = evaluate();
  ASSERT_EQ(alone.experts.size(), 2u);
  EXPECT_EQ(alone.experts[0].group, "artificial");
  EXPECT_EQ(alone.experts[0].result.test.confusion.total(), kTest * 4 / 10);
  EXPECT_EQ(alone.experts[0].result.whole->confusion.total(), kTest);
  EXPECT_EQ(alone.gate.test.confusion.classes(), 2);
  EXPECT_EQ(alone.verdict.budgets.all.examples(), kTest);
  EXPECT_EQ(alone.baseline.cost.parameters, count_parameters(saved.model.baseline));
  EXPECT_THAT(comparison_text(alone), Not(HasSubstr("Training time")));
  run.write_model("baseline", baseline());
  const Results with_baseline = evaluate();
  EXPECT_EQ(with_baseline.mixture.test.accuracy, alone.mixture.test.accuracy);
  EXPECT_NE(with_baseline.baseline.test.loss, alone.baseline.test.loss) << "other weights";
}

TEST_F(ImportedRunTest, WhatCannotBeReportedIsRefused) {
  const RunFolder run = folder();
  EXPECT_THAT(error_of(Fault::user, [&] { evaluate(); }), HasSubstr("is not an imported run"));
  SavedModel gate = baseline();
  run.write_model("gate", gate);
  EXPECT_THAT(error_of(Fault::user, [&] { evaluate(); }),
              HasSubstr("has neither a baseline nor a mixture"));
  SavedModel other = baseline();
  std::swap(other.class_names[0], other.class_names[1]);
  run.write_model("baseline", other);
  const Results results = evaluate();  // the data takes the model's order of classes
  EXPECT_EQ(results.class_names[0], "automobile");
  struct Stopping : RunObserver {
    bool should_stop() override { return true; }
  } stopping;
  EXPECT_THROW(evaluate_imported(folder_ / "run", "builtin", stopping), Stopped);
}

}  // namespace
}  // namespace sluice
