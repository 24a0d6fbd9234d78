// Tests of what each stage of the lab trains, before its first step, at its first step or in its
// parts.

#include "sluice/lab/lab.h"

#include <map>
#include <set>

#include "sluice/lab/verdict.h"
#include "tests/scratch.h"
#include "train/fit_testing.h"

namespace sluice {
namespace {

struct Seen {};

/// Keeps the weights that a fit begins with, and ends it there.
struct Beginning : FitObserver {
  void on_begin(FitState& state) override {
    for (const FitState::Block& block : state.blocks) {
      if (block.name.starts_with("weights/")) {
        weights.emplace_back(block.values.begin(), block.values.end());
      }
    }
    throw Seen();
  }
  std::vector<std::vector<float>> weights;  ///< by block
};

/// Keeps the number of steps and epochs of a fit, and ends it there.
struct FirstStep : FitObserver {
  void on_step(const Progress& progress) override {
    epochs = progress.epochs;
    throw Seen();
  }
  int epochs = 0;
};

/// Returns the signs of the first weights, which are those of the random numbers for any size of
/// the kernel.
std::vector<bool> signs(const std::vector<float>& weights) {
  std::vector<bool> signs;
  for (int i = 0; i < 64; ++i) signs.push_back(weights[i] > 0);
  return signs;
}

class LabStages : public testing::Test {
 protected:
  LabStages() {
    options_.batch_size = 16;
    options_.controls = {true, true, true};
  }

  static Stage stage_of(const Lab& lab, StageKind kind) {
    const std::vector<Stage> all = lab.stages();
    return *std::ranges::find(all, kind, &Stage::kind);
  }

  template <class Observer, class Train>
  Observer watch(const Train& train) const {
    Observer observer;
    EXPECT_THROW(train(Lab(options_, data_, groups_), observer), Seen);
    return observer;
  }

  TrainedModel given(const Sequential& model, std::uint32_t stream) const {
    TrainedModel part{model, Weights(model), {}, {}};
    part.weights.initialize(9, stream);
    return part;
  }
  template <class Observer>
  void train_mixture(const Lab& lab, Observer& observer) const {
    const Mixture model = lab.declare();
    lab.train_mixture(given(model.baseline, 1),
                      {given(model.branches[0].expert, 2), given(model.branches[1].expert, 3)},
                      given(model.gate, 4), observer);
  }

  LabOptions options_;
  Dataset data_{"random", "test", kNames, random_set(48, 1), random_set(16, 2)};
  Groups groups_{{{"first", {"a", "c"}}, {"second", {"b", "d"}}}, kNames};
};

TEST_F(LabStages, BeginWithRandomWeightsOfTheirOwn) {
  using Train = std::function<void(const Lab&, FitObserver&)>;
  const std::map<std::string, Train> stages{
      {"baseline", [](const Lab& lab, FitObserver& o) { lab.train_baseline(o); }},
      {"expert 0", [](const Lab& lab, FitObserver& o) { lab.train_expert(0, o); }},
      {"expert 1", [](const Lab& lab, FitObserver& o) { lab.train_expert(1, o); }},
      {"gate", [](const Lab& lab, FitObserver& o) { lab.train_gate(o); }},
      {"second", [](const Lab& lab,
                    FitObserver& o) { lab.train(stage_of(lab, StageKind::second_baseline), o); }},
      {"wider", [](const Lab& lab, FitObserver& o) {
         lab.train(stage_of(lab, StageKind::wider_baseline), o);
       }}};
  std::set<std::vector<bool>> all;
  for (const std::uint64_t seed : {1, 2}) {
    options_.seed = seed;
    for (const auto& [name, train] : stages) {
      EXPECT_TRUE(all.insert(signs(watch<Beginning>(train).weights[0])).second)
          << name << ", seed " << seed;
    }
    const auto begin = watch<Beginning>(stages.at("baseline")).weights;
    const auto longer = watch<Beginning>([](const Lab& lab, FitObserver& observer) {
      lab.train(stage_of(lab, StageKind::longer_baseline).of_epochs(7), observer);
    });
    EXPECT_EQ(longer.weights, begin) << "the same training, continued";
  }
}

TEST_F(LabStages, JointTrainingBeginsWithThePartsAndNewImportanceModels) {
  const auto begin = [&] {
    return watch<Beginning>([&](const Lab& own, Beginning& o) { train_mixture(own, o); }).weights;
  };
  const auto weights = begin();  // baseline, then expert and importance of each group
  ASSERT_EQ(weights.size(), 5u);
  const Mixture model = Lab(options_, data_, groups_).declare();
  const auto same = [](const std::vector<float>& block, const TrainedModel& part) {
    return std::ranges::equal(block, part.weights.values());
  };
  EXPECT_TRUE(same(weights[0], given(model.baseline, 1)));
  EXPECT_TRUE(same(weights[1], given(model.branches[0].expert, 2)));
  EXPECT_TRUE(same(weights[3], given(model.branches[1].expert, 3)));
  EXPECT_NE(weights[2], weights[4]);
  options_.seed = 1;
  const auto other = begin();
  EXPECT_NE(other[2], weights[2]);
  EXPECT_NE(other[4], weights[4]);
}

TEST_F(LabStages, HaveTheirOwnEpochs) {
  options_.epochs = {2, 3, 4, 5};
  const auto epochs = [&](const auto& train) { return watch<FirstStep>(train).epochs; };
  EXPECT_EQ(epochs([](const Lab& lab, FitObserver& o) { lab.train_baseline(o); }), 2);
  EXPECT_EQ(epochs([](const Lab& lab, FitObserver& o) { lab.train_expert(1, o); }), 3);
  EXPECT_EQ(epochs([](const Lab& lab, FitObserver& o) { lab.train_gate(o); }), 4);
  EXPECT_EQ(epochs([&](const Lab& lab, FirstStep& o) { train_mixture(lab, o); }), 5);
  EXPECT_EQ(epochs([](const Lab& lab, FitObserver& o) {
              lab.train(stage_of(lab, StageKind::second_baseline), o);
            }),
            2);
  EXPECT_EQ(epochs([](const Lab& lab, FitObserver& o) {
              lab.train(stage_of(lab, StageKind::wider_baseline), o);
            }),
            2);
  EXPECT_EQ(epochs([](const Lab& lab, FitObserver& o) {
              lab.train(stage_of(lab, StageKind::longer_baseline).of_epochs(7), o);
            }),
            7);
}

TEST_F(LabStages, TrainAsTheOptionsSay) {
  options_.epochs.baseline = 9;
  options_.optimizer.learning_rate = 1e-30;
  options_.compute = Compute::exact;
  options_.early_stopping = {.enabled = true, .min_delta = 1e9, .patience = 1};
  const auto begin =
      watch<Beginning>([](const Lab& lab, FitObserver& observer) { lab.train_baseline(observer); });
  FitObserver silent;
  const TrainedModel baseline = Lab(options_, data_, groups_).train_baseline(silent);
  EXPECT_EQ(baseline.history.epochs.size(), 2u);
  EXPECT_LT(relative_error(baseline.weights.values(), begin.weights[0]), 1e-20) << "no rate";
  for (const LayerProfile& layer : baseline.profile) {
    EXPECT_FALSE(layer.algorithm.starts_with("winograd")) << layer.layer;
  }
}

/// Numbers of the stages decide shuffles and dropout masks, and so the figures of a seed.
TEST_F(LabStages, JointTrainingShufflesAsItsStage) {
  options_.epochs.mixture = 1;
  struct FirstLoss : FitObserver {
    void on_step(const Progress& progress) override {
      loss = progress.loss;
      throw Seen();
    }
    double loss = 0;
  };
  const Lab lab(options_, data_, groups_);
  const auto begin =
      watch<Beginning>([&](const Lab& own, Beginning& o) { train_mixture(own, o); }).weights;
  const Mixture model = lab.declare();
  MixtureWeights weights(model);
  weights.gate = given(model.gate, 4).weights;
  const auto loss_of_stage = [&](std::uint32_t stage) {
    const auto compiled = compile(model, weights, {.batch = 16});
    const auto blocks = compiled->trained();
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      std::ranges::copy(begin[i], blocks[i].weights.begin());
    }
    FirstLoss first;
    EXPECT_THROW(fit(*compiled, lab.train_examples(), lab.validation_examples(),
                     {.batch_size = 16, .stage = stage}, first),
                 Seen);
    return first.loss;
  };
  const double loss =
      watch<FirstLoss>([&](const Lab& own, FirstLoss& o) { train_mixture(own, o); }).loss;
  EXPECT_EQ(loss, loss_of_stage(3));
  EXPECT_NE(loss, loss_of_stage(1));
}

TEST_F(LabStages, TheWiderBaselineIsTheLeastThatIsLargeEnough) {
  for (const CnnSize size : {CnnSize::small, CnnSize::large}) {
    options_.network.size = size;
    const Lab lab(options_, data_, groups_);
    const auto wider = std::get<Sequential>(lab.model_of(stage_of(lab, StageKind::wider_baseline)));
    EXPECT_EQ(wider.name, "control-wider");
    EXPECT_EQ(wider.layers.size(), lab.declare().baseline.layers.size());
    const std::int64_t active = cost_of(lab.declare()).active_parameters;
    EXPECT_GE(count_parameters(wider), active);
    // A width less by a quarter is too small.
    const double width = std::get<Conv2D>(wider.layers[0]).filters / 32.0;
    EXPECT_LT(count_parameters(cnn("less", wider.input, kClasses, size, width - 0.25)), active);
  }
}

}  // namespace
}  // namespace sluice
