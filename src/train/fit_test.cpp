#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "sluice/error.h"
#include "sluice/evaluation.h"
#include "sluice/lab/lab.h"
#include "sluice/lab/verdict.h"
#include "tests/scratch.h"
#include "train/fit_testing.h"

namespace sluice {
namespace {

using testing::HasSubstr;

// Functions that keep references to images, data, groups or weights must not accept temporaries.
static_assert(std::is_constructible_v<Examples, LabelledImages&, std::vector<std::string>>);
static_assert(!std::is_constructible_v<Examples, LabelledImages, std::vector<std::string>>);
static_assert(std::is_constructible_v<Lab, LabOptions, Dataset&, Groups&>);
static_assert(!std::is_constructible_v<Lab, LabOptions, Dataset, Groups&>);
static_assert(!std::is_constructible_v<Lab, LabOptions, Dataset&, Groups>);
template <class Model, class Given>
concept CompilesForInference = requires(const Model& model, Given&& weights) {
  compile_for_inference(model, std::forward<Given>(weights), CompileOptions());
};
static_assert(CompilesForInference<Sequential, const Weights&>);
static_assert(!CompilesForInference<Sequential, Weights>);
static_assert(CompilesForInference<Mixture, const MixtureWeights&>);
static_assert(!CompilesForInference<Mixture, MixtureWeights>);

class FitTest : public testing::Test {
 protected:
  History train(const FitOptions& options, std::uint32_t weights_stream = 1) {
    weights_ = Weights(model_);
    weights_.initialize(options.seed, weights_stream);
    const auto compiled = compile(model_, weights_, {options.batch_size});
    return fit(*compiled, train_, validation_, options, *observer_);
  }

  LabelledImages train_images_ = random_set(32, 1);
  LabelledImages validation_images_ = random_set(10, 2);
  Examples train_{train_images_, kNames};
  Examples validation_{validation_images_, kNames};
  Sequential model_ = cnn("cnn", {8, 8, 3}, kClasses, CnnSize::small);
  Weights weights_{model_};
  FitObserver silent_;
  FitObserver* observer_ = &silent_;
};

TEST_F(FitTest, LearnsThirtyTwoImagesByHeart) {
  // Dropout would prevent this.
  model_ = {"small",
            {8, 8, 3},
            {Conv2D{"conv", 16}, MaxPooling2D{"pool"}, Flatten{"flatten"},
             Dense{"dense", 64, Activation::relu}, Dense{"output", kClasses, Activation::softmax}}};
  const History history = train({.epochs = 300});
  EXPECT_GT(history.epochs.front().loss, 1.2);
  const auto compiled = compile_for_inference(model_, weights_, {.batch = 32});
  const Evaluation result = evaluate(*compiled, train_);
  EXPECT_EQ(result.accuracy, 1);
  EXPECT_LT(result.loss, 0.01);
  EXPECT_DOUBLE_EQ(result.images_per_second, 32 / result.seconds);
}

TEST_F(FitTest, TheSameSeedGivesTheSameBitsAndAnotherDoesNot) {
  const auto run = [&](std::uint64_t seed) {
    const History history = train({.epochs = 3, .batch_size = 12, .seed = seed});
    std::vector<double> losses;
    for (const Epoch& epoch : history.epochs) {
      losses.insert(losses.end(), {epoch.loss, epoch.val_loss, epoch.accuracy});
    }
    return losses;
  };
  const Sequential mixed{
      "mixed",
      {8, 8, 3},
      {CondConv2D{"conv", 8, 3}, BatchNormalization{"norm"}, GlobalMaxPooling2D{"pool"},
       Dense{"output", kClasses, Activation::softmax}}};
  for (const Sequential& model : {model_, mixed}) {
    model_ = model;
    const auto first = run(5);
    const std::vector<float> weights(weights_.values().begin(), weights_.values().end());
    EXPECT_EQ(run(5), first);
    EXPECT_TRUE(std::ranges::equal(weights_.values(), weights));
    EXPECT_NE(run(6), first);
  }
}

class Recorder : public FitObserver {
 public:
  void on_step(const Progress& progress) override { steps.push_back(progress); }
  void on_epoch(const Progress&, const Epoch& epoch) override { epochs.push_back(epoch); }
  std::vector<Progress> steps;
  std::vector<Epoch> epochs;
};

TEST_F(FitTest, FrozenLayersStayAsTheyAre) {
  model_.layers.insert(model_.layers.begin() + 1, BatchNormalization{"norm"});
  model_.frozen = {"conv1.1", "norm", "output/bias"};
  Weights before(model_);
  before.initialize(0, 1);
  const OptimizerOptions optimizer{.weight_decay = 0.1,
                                   .decay_biases = true,
                                   .clipnorm = 0.1,
                                   .use_ema = true,
                                   .lookahead = {.sync_period = 2}};
  train({.epochs = 3, .batch_size = 8, .optimizer = optimizer});
  for (const Weights::Tensor& tensor : weights_.tensors()) {
    const bool frozen =
        model_.frozen.contains(tensor.layer) || (tensor.layer == "output" && tensor.kind == "bias");
    EXPECT_EQ(std::ranges::equal(weights_.values(tensor), before.values(tensor)), frozen)
        << tensor.layer << " " << tensor.kind;
  }
  for (const LayerSummary& layer : summarize(model_)) model_.frozen.insert(layer.name);
  EXPECT_THAT(error_of(Fault::user, [&] { train({}); }),
              HasSubstr("all layers of the model are frozen: leave one to train"));
}

TEST_F(FitTest, LeavesOutThePartialBatch) {
  for (const int batch_size : {12, 32, 40}) {
    const History history = train({.epochs = 2, .batch_size = batch_size, .drop_remainder = true});
    const int used = batch_size == 12 ? 24 : 32;  // 40 images would be no batch at all
    EXPECT_EQ(history.images, 2 * used);
    EXPECT_EQ(history.epochs[1].accuracy * used, std::round(history.epochs[1].accuracy * used));
  }
}

TEST_F(FitTest, KeepsThePartialBatchAndTellsHowItGoes) {
  Recorder recorder;
  observer_ = &recorder;
  const History history = train({.epochs = 2, .batch_size = 12});
  ASSERT_EQ(recorder.steps.size(), 6u);  // 12, 12 and 8 images in each of two epochs
  EXPECT_EQ(recorder.steps.back().epoch, 2);
  EXPECT_EQ(recorder.steps.back().step, 3);
  EXPECT_EQ(recorder.steps.back().steps, 3);
  EXPECT_GT(recorder.steps.front().seconds_left, 0);
  ASSERT_EQ(recorder.epochs.size(), 2u);
  EXPECT_EQ(recorder.epochs[1].loss, history.epochs[1].loss);
  EXPECT_EQ(recorder.steps.back().accuracy, history.epochs[1].accuracy);
  // 32 images: an accuracy in 32nds shows that all images were counted.
  EXPECT_EQ(history.epochs[0].accuracy * 32, std::round(history.epochs[0].accuracy * 32));
  EXPECT_EQ(history.epochs[0].val_accuracy * 10, std::round(history.epochs[0].val_accuracy * 10));
}

TEST_F(FitTest, StopsWithinAStepWhereTheObserverThrows) {
  struct Stopper : FitObserver {
    void on_step(const Progress& progress) override {
      if (++calls == 2) throw progress.step;
    }
    int calls = 0;
  } stopper;
  observer_ = &stopper;
  EXPECT_THROW(train({.epochs = 5, .batch_size = 8}), int);
  EXPECT_EQ(stopper.calls, 2);
}

TEST_F(FitTest, RefusesALossThatIsNotFinite) {
  try {
    train({.epochs = 50, .optimizer = {.learning_rate = 1e30}});
    FAIL() << "it went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::user);
    EXPECT_THAT(error.what(), testing::HasSubstr("the loss is not finite in epoch"));
    EXPECT_THAT(error.what(), testing::HasSubstr("lower train.learning_rate"));
  }
}

TEST_F(FitTest, RefusesAMixtureThatLeavesEveryClassNothing) {
  const Groups groups({{"first", {"a", "c"}}, {"second", {"b", "d"}}}, kNames);
  const Mixture model = mixture(groups, {8, 8, 3}, kClasses, CnnSize::small);
  MixtureWeights weights(model);
  const auto make_certain = [](Weights& part, int output) {
    part.values(part.tensors().back())[output] = 1000;  // the last bias
  };
  make_certain(weights.baseline, 0);
  for (Weights& expert : weights.experts) make_certain(expert, 0);
  for (Weights& importance : weights.importances) make_certain(importance, 2 * 1);  // class 1
  const auto compiled = compile(model, weights, {.batch = 32});
  EXPECT_EQ(
      error_of(Fault::user, [&] { fit(*compiled, train_, validation_, {}, silent_); }),
      "[train] the loss is not finite in epoch 1, step 1, where the mixture gives every class "
      "0: lower train.learning_rate");
}

TEST_F(FitTest, RefusesAModelWithoutOneOutputForEachClass) {
  const auto say = [&](const Examples& images) {
    const auto compiled = compile(model_, weights_, {.batch = 32});
    const std::string trained =
        error_of(Fault::user, [&] { fit(*compiled, images, images, {}, silent_); });
    EXPECT_EQ(error_of(Fault::user, [&] { evaluate(*compiled, images); }), trained);
    return trained;
  };
  EXPECT_EQ(say({train_images_, {"a", "b", "c", "d", "e"}}),
            "[model] it has 4 outputs, but the images have 5 classes: give it one for each");
}

/// Trains the whole lab on tiny images.
TEST(LabTest, TrainsEveryStageAndLeavesTheBaselineAsItWas) {
  Dataset data{"random", "test", kNames, random_set(48, 1), random_set(16, 2)};
  const Groups groups({{"first", {"a", "c"}}, {"second", {"b", "d"}}}, kNames);
  LabOptions options;
  options.epochs = {2, 1, 1, 2};
  options.batch_size = 16;
  const Lab lab(options, data, groups);
  FitObserver silent;
  const TrainedModel baseline = lab.train_baseline(silent);
  const std::vector<TrainedModel> experts{lab.train_expert(0, silent), lab.train_expert(1, silent)};
  const TrainedModel gate = lab.train_gate(silent);
  const std::vector<float> frozen(baseline.weights.values().begin(),
                                  baseline.weights.values().end());
  const TrainedMixture mixture = lab.train_mixture(baseline, experts, gate, silent);

  EXPECT_EQ(baseline.history.epochs.size(), 2u);
  EXPECT_EQ(mixture.history.epochs.size(), 2u);
  EXPECT_TRUE(std::ranges::equal(baseline.weights.values(), frozen));
  EXPECT_FALSE(std::ranges::equal(mixture.weights.baseline.values(), frozen));
  EXPECT_TRUE(std::ranges::equal(mixture.weights.gate.values(), gate.weights.values()));
  EXPECT_FALSE(
      std::ranges::equal(experts[0].weights.values(), mixture.weights.experts[0].values()));
  EXPECT_FALSE(std::ranges::equal(experts[0].weights.values(), experts[1].weights.values()));
}

/// Changes the images of the other group: an expert that does not see them must stay the same.
TEST(LabTest, AnExpertSeesItsOwnGroupsImagesAlone) {
  const Groups groups({{"first", {"a", "c"}}, {"second", {"b", "d"}}}, kNames);
  Dataset data{"random", "test", kNames, random_set(48, 1), random_set(16, 2)};
  Dataset other = data;
  for (LabelledImages* images : {&other.train, &other.test}) {
    const std::size_t size = element_count(images->shape);
    for (std::size_t i = 0; i < images->labels.size(); ++i) {
      const bool of_first = images->labels[i] % 2 == 0;
      if (!of_first) std::fill_n(images->pixels.begin() + i * size, size, std::uint8_t{255});
    }
  }
  LabOptions options;
  options.epochs.experts = 1;
  options.batch_size = 16;
  const auto train = [&](const Dataset& from, int group) {
    FitObserver silent;
    return Lab(options, from, groups).train_expert(group, silent);
  };
  const TrainedModel first = train(data, 0);
  const TrainedModel same = train(other, 0);
  EXPECT_TRUE(std::ranges::equal(first.weights.values(), same.weights.values()));
  EXPECT_EQ(first.history.epochs[0].val_loss, same.history.epochs[0].val_loss);
  EXPECT_EQ(first.history.images,
            std::ranges::count_if(data.train.labels, [](int label) { return label % 2 == 0; }));
  EXPECT_NE(train(data, 1).history.epochs[0].val_loss, train(other, 1).history.epochs[0].val_loss);
}

TEST(LabTest, ControlsAreGivenWhatTheMixtureIsGiven) {
  Dataset data{"random", "test", kNames, random_set(48, 1), random_set(16, 2)};
  const Groups groups({{"first", {"a", "c"}}, {"second", {"b", "d"}}}, kNames);
  LabOptions options;
  options.epochs = {1, 1, 1, 1};
  options.batch_size = 16;
  options.controls = {true, true, true};
  // Would stop any training after its second epoch, except the control trained equally long.
  options.early_stopping = {.enabled = true, .min_delta = 1e9, .patience = 1};
  const Lab lab(options, data, groups);
  FitObserver silent;
  const TrainedModel baseline = lab.train_baseline(silent);
  const std::vector<Stage> all = lab.stages();
  const std::vector<Stage> controls(all.end() - 3, all.end());
  const TrainedModel longer = lab.train(controls[0].of_epochs(3), silent);
  const TrainedModel second = lab.train(controls[1], silent);
  const TrainedModel wider = lab.train(controls[2], silent);

  ASSERT_EQ(longer.history.epochs.size(), 3u);
  EXPECT_EQ(longer.history.epochs[0].loss, baseline.history.epochs[0].loss);
  EXPECT_EQ(longer.history.epochs[0].val_loss, baseline.history.epochs[0].val_loss);
  EXPECT_EQ(longer.history.images, 3 * 48);
  EXPECT_NE(second.history.epochs[0].loss, baseline.history.epochs[0].loss);
  const std::int64_t active = cost_of(lab.declare()).active_parameters;
  EXPECT_GE(count_parameters(wider.model), active);
  EXPECT_LE(count_parameters(wider.model), 1.25 * static_cast<double>(active));
}

TEST(LabTest, KeepsTheLastTrainingImagesForValidation) {
  Dataset data{"random", "test", kNames, random_set(50, 1), random_set(16, 2)};
  const Groups groups({{"first", {"a", "c"}}, {"second", {"b", "d"}}}, kNames);
  LabOptions options;
  EXPECT_EQ(Lab(options, data, groups).validation_examples().size(), 16u);
  options.validation_split = 0.25;
  const Lab lab(options, data, groups);
  EXPECT_EQ(lab.train_examples().size(), 37u) << "Keras takes the floor of 37.5";
  ASSERT_EQ(lab.validation_examples().size(), 13u);
  EXPECT_TRUE(std::ranges::equal(lab.validation_examples().pixels(0), data.train.image(37)));
  EXPECT_EQ(lab.test_examples().size(), 16u);
}

TEST(LabTest, RefusesASplitThatLeavesAGroupNothing) {
  Dataset data{"random", "test", kNames, random_set(50, 1), random_set(16, 2)};
  const Groups groups({{"first", {"a", "c"}}, {"second", {"b", "d"}}}, kNames);
  LabOptions options;
  options.validation_split = 0.02;
  try {
    const Lab lab(options, data, groups);
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("[train] train.validation_split = 0.02 "))
        << error.what();
  }
}

TEST_F(FitTest, StopsEarlyAndRestoresTheBestWeights) {
  // This rate is too small to learn: the first epoch is the best, or equal.
  FitOptions options{.epochs = 9, .batch_size = 8};
  options.optimizer.learning_rate = 1e-30;
  options.early_stopping = {.enabled = true, .patience = 2, .restore_best_weights = true};
  const History history = train(options);
  EXPECT_EQ(history.epochs.size(), 3u);
  EXPECT_EQ(history.restored_epoch, 1);
  EXPECT_EQ(history.images, 3 * static_cast<std::int64_t>(train_.size()));
}

TEST_F(FitTest, WeighsImagesAsItWeighsTheirClasses) {
  FitOptions options{.epochs = 2, .batch_size = 12};
  options.loss.class_weight.of = {{kNames[0], 3}, {kNames[1], 0}};
  train(options);
  const Weights by_class = weights_;
  for (const int label : train_images_.labels) {
    train_images_.weights.push_back(label == 0 ? 3.F : label == 1 ? 0.F : 1.F);
  }
  options.loss.class_weight = {};
  train(options);
  EXPECT_TRUE(std::ranges::equal(weights_.values(), by_class.values()));
  // Both multiply, and a part of the images keeps its weights.
  options.loss.class_weight.of = {{kNames[0], 2}};
  train_ = train_.after_split(0.5);
  EXPECT_EQ(train_.weight(3), train_images_.weights[19]);
  train(options);
  const Weights both = weights_;
  for (std::size_t i = 0; i < train_images_.size(); ++i) {
    if (train_images_.labels[i] == 0) train_images_.weights[i] *= 2;
  }
  options.loss.class_weight = {};
  train(options);
  EXPECT_TRUE(std::ranges::equal(weights_.values(), both.values()));
  options.augment.mixup = 0.2;
  EXPECT_THAT(error_of(Fault::user, [&] { train(options); }), HasSubstr("leave out one of them"));
}

TEST_F(FitTest, NeedsNoImagesToValidateOn) {
  train({.epochs = 2});
  const Weights validated = weights_;
  const LabelledImages nothing{{8, 8, 3}, {}, {}};
  validation_ = Examples(nothing, kNames);
  const History history = train({.epochs = 2});
  EXPECT_TRUE(std::isnan(history.epochs[1].val_loss));
  EXPECT_TRUE(std::isnan(history.epochs[1].val_accuracy));
  EXPECT_GT(history.epochs[1].loss, 0);
  EXPECT_TRUE(std::ranges::equal(weights_.values(), validated.values()));
}

TEST_F(FitTest, OptionsOutOfRangeAreRefused) {
  const auto refusal = [&](const std::function<void(FitOptions&)>& change) {
    FitOptions options;
    change(options);
    const auto compiled = compile(model_, weights_, {.batch = 32});
    return error_of(Fault::user, [&] { fit(*compiled, train_, validation_, options, *observer_); });
  };
  EXPECT_EQ(
      refusal([](auto& options) { options.early_stopping.monitor = "foo"; }),
      "[train] early_stopping.monitor is foo: must be val_loss, val_accuracy, loss or accuracy");
  for (const int wrong : {0, -1}) {
    EXPECT_EQ(refusal([&](auto& options) { options.batch_size = wrong; }),
              fmt::format("[train] batch_size is {}: must be at least 1", wrong));
    EXPECT_EQ(refusal([&](auto& options) { options.epochs = wrong; }),
              fmt::format("[train] epochs is {}: must be at least 1", wrong));
  }
  EXPECT_THAT(refusal([](auto& options) { options.batch_size = 33; }),
              HasSubstr("batches of 33 for a model compiled for 32"));
  EXPECT_THAT(refusal([](auto& options) { options.early_stopping.patience = -1; }),
              HasSubstr("early_stopping.patience is -1"));
  EXPECT_THAT(refusal([](auto& options) { options.early_stopping.start_from_epoch = -1; }),
              HasSubstr("early_stopping.start_from_epoch is -1"));
  EXPECT_THAT(refusal([](auto& options) { options.early_stopping.min_delta = std::nan(""); }),
              HasSubstr("early_stopping.min_delta is nan"));
  for (const double wrong : {0.0, -1.0, std::nan("")}) {
    EXPECT_THAT(refusal([&](auto& options) { options.optimizer.learning_rate = wrong; }),
                HasSubstr("learning_rate is"));
    EXPECT_THAT(refusal([&](auto& options) { options.optimizer.epsilon = wrong; }),
                HasSubstr("epsilon is"));
  }
  EXPECT_THAT(refusal([](auto& options) { options.optimizer.beta_1 = 1; }),
              HasSubstr("beta_1 is 1"));
  EXPECT_THAT(refusal([](auto& options) { options.optimizer.beta_2 = -1; }),
              HasSubstr("beta_2 is -1"));
  const auto refused = [&](const OptimizerOptions& wrong) {
    return refusal([&](auto& options) { options.optimizer = wrong; });
  };
  EXPECT_EQ(refused({.name = "rmsprop"}),
            "[train] optimizer is rmsprop: must be adam, adamw or sgd");
  EXPECT_THAT(refused({.weight_decay = -1}), HasSubstr("weight_decay is -1: must be between 0"));
  EXPECT_THAT(refused({.momentum = 1}), HasSubstr("momentum is 1: must be at least 0 and below"));
  EXPECT_THAT(refused({.norm_bias_learning_rate_factor = 0}),
              HasSubstr("norm_bias_learning_rate_factor is 0: must be above 0"));
  EXPECT_THAT(refused({.clipnorm = -1}), HasSubstr("clipnorm is -1: must be 0 or more"));
  EXPECT_THAT(refused({.global_clipnorm = std::nan("")}), HasSubstr("global_clipnorm is nan"));
  EXPECT_THAT(refused({.clipvalue = -1}), HasSubstr("clipvalue is -1"));
  EXPECT_EQ(refused({.clipnorm = 1, .clipvalue = 1}),
            "[train] clipnorm, global_clipnorm and clipvalue: 2 of them are set, and at most one "
            "may be");
  EXPECT_EQ(refused({.schedule = {.name = "exponential"}}),
            "[train] schedule.name is exponential: must be constant, linear, cosine, one_cycle or "
            "steps");
  EXPECT_THAT(refused({.ema_momentum = 2}), HasSubstr("ema_momentum is 2: must be between 0"));
  EXPECT_THAT(refused({.lookahead = {.sync_period = -1}}), HasSubstr("sync_period is -1"));
  EXPECT_THAT(refused({.lookahead = {.decay = 2}}), HasSubstr("lookahead.decay is 2"));
  EXPECT_THAT(refused({.lookahead = {.decay_power = -1}}), HasSubstr("decay_power is -1"));
  EXPECT_THAT(refusal([](auto& options) { options.loss.label_smoothing = 1; }),
              HasSubstr("label_smoothing is 1: must be at least 0 and below 1"));
  EXPECT_THAT(refusal([](auto& options) { options.loss.class_weight.of["a"] = -1; }),
              HasSubstr("class_weight is -1: must be 0 or more"));
  EXPECT_THAT(refused({.schedule = {.warmup = -1}}), HasSubstr("schedule.warmup is -1"));
  EXPECT_EQ(refused({.schedule = {.warmup = 10}}),
            "[train] schedule.warmup is 10 epochs, of 10: must be shorter than each stage, or a "
            "share below 1");
  EXPECT_THAT(refused({.schedule = {.start_factor = 2}}), HasSubstr("start_factor is 2"));
  EXPECT_THAT(refused({.schedule = {.end_factor = -1}}), HasSubstr("end_factor is -1"));
  EXPECT_THAT(refused({.schedule = {.gamma = 0}}), HasSubstr("schedule.gamma is 0"));
  EXPECT_THAT(refused({.schedule = {.milestones = {1, 0}}}),
              HasSubstr("schedule.milestones is 0: must be above 0"));
  EXPECT_THAT(refused({.schedule = {.name = "steps"}}),
              HasSubstr("schedule.milestones is missing"));
}

TEST_F(FitTest, ModelsAndExamplesThatDoNotFitAreRefused) {
  const auto training = compile(model_, weights_, {});
  FitOptions options;
  const auto refusal = [&](const Examples& train, const Examples& validation) {
    return error_of(Fault::user, [&] { fit(*training, train, validation, options, *observer_); });
  };
  const LabelledImages nothing{{8, 8, 3}, {}, {}};
  Recorder recorder;
  observer_ = &recorder;
  EXPECT_THAT(refusal({nothing, kNames}, validation_), HasSubstr("no images to train on"));
  options.early_stopping.enabled = true;
  EXPECT_THAT(refusal(train_, {nothing, kNames}), HasSubstr("no images to validate on"));
  const LabelledImages larger = random_set(2, 1, {9, 8, 3});
  EXPECT_THAT(refusal({larger, kNames}, validation_),
              HasSubstr("it takes images of (8, 8, 3), but these are of (9, 8, 3)"));
  EXPECT_THAT(refusal(train_, {larger, kNames}), HasSubstr("these are of (9, 8, 3)"));
  std::vector<std::string> more = kNames;
  more.emplace_back("e");
  EXPECT_THAT(refusal(train_, {validation_images_, more}),
              HasSubstr("it has 4 outputs, but the images have 5 classes"));
  EXPECT_TRUE(recorder.steps.empty()) << "before the first step";
  const auto compiled = compile_for_inference(model_, weights_, {});
  EXPECT_EQ(error_of(Fault::user, [&] { fit(*compiled, train_, validation_, {}, *observer_); }),
            "[train] the model was compiled for inference: use compile()");
  EXPECT_THAT(error_of(Fault::user,
                       [&] {
                         evaluate(*compiled, {nothing, kNames});
                       }),
              HasSubstr("there are no images to evaluate on"));
  EXPECT_THAT(error_of(Fault::user,
                       [&] {
                         latency_ms(*compiled, {nothing, kNames});
                       }),
              HasSubstr("there are no images to measure"));
}

TEST_F(FitTest, ALabRefusesGroupsAndPartsThatItDoesNotHave) {
  const Dataset data{"", "", kNames, train_images_, validation_images_};
  const Groups groups({{"left", {"a", "b"}}, {"right", {"c", "d"}}}, kNames);
  const Lab lab({}, data, groups);
  for (const int wrong : {-1, 2, 9}) {
    EXPECT_THAT(error_of(Fault::user, [&] { lab.train_expert(wrong, silent_); }),
                HasSubstr(fmt::format("there is no group {}: there are 2, from 0", wrong)));
  }
  const TrainedModel part{model_, Weights(model_), {}, {}};
  EXPECT_THAT(error_of(Fault::user, [&] { lab.train_mixture(part, {part}, part, silent_); }),
              HasSubstr("1 experts for 2 groups"));
  EXPECT_THAT(error_of(Fault::user,
                       [&] {
                         lab.train_mixture(part, {part, part}, part, silent_);
                       }),
              HasSubstr("gate: the weights are not those of its layers"));
  const Stage longer = stages({.controls = {true, false, false}}, groups.declared()).back();
  EXPECT_THAT(error_of(Fault::user, [&] { lab.train(longer, silent_); }), HasSubstr("epochs is 0"));
  EXPECT_THAT(error_of(Fault::user, [&] { lab.train(lab.stages().back(), silent_); }),
              HasSubstr("mixture is made of trained parts: train it by train_mixture()"));
}

}  // namespace
}  // namespace sluice
