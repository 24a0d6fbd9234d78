#include "sluice/lab/verdict.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <set>
#include <thread>

#include "sluice/lab/models.h"
#include "train/fit_testing.h"

namespace sluice {
namespace {

/// Answers for two groups, {a, b} and {c, d}, with importances that select either baseline or
/// expert.
class AnswersOf {
 public:
  AnswersOf() {
    answers_.class_names = {"a", "b", "c", "d"};
    answers_.group_names = {"left", "right"};
    answers_.group_of_class = {0, 0, 1, 1};
    answers_.experts.resize(2);
    answers_.importances.resize(2);
  }

  struct Example {
    int truth;
    int frozen;
    int asked;     ///< group
    int baseline;  ///< the mixture's own
    int experts[2];
    bool listen_to_expert = true;
  };

  AnswersOf& add(const Example& example) {
    answers_.truth.push_back(example.truth);
    vote(answers_.frozen, example.frozen, kClasses);
    vote(answers_.baseline, example.baseline, kClasses);
    vote(answers_.gate, example.asked, 2);
    for (int g = 0; g < 2; ++g) {
      vote(answers_.experts[g], example.experts[g], kClasses);
      for (int c = 0; c < kClasses; ++c) {
        answers_.importances[g].push_back(example.listen_to_expert ? 0.f : 1.f);
        answers_.importances[g].push_back(example.listen_to_expert ? 1.f : 0.f);
      }
    }
    return *this;
  }

  /// Adds a control that is right for the first examples and wrong for the others.
  AnswersOf& control(int right) {
    Answers::Control control{"wider", "a wider baseline", {}};
    for (const int truth : answers_.truth) {
      vote(control.scores, right-- > 0 ? truth : (truth + 1) % kClasses, kClasses);
    }
    answers_.controls.push_back(std::move(control));
    return *this;
  }

  const Answers& answers() const { return answers_; }

 private:
  static void vote(std::vector<float>& all, int winner, int outputs) {
    for (int c = 0; c < outputs; ++c) all.push_back(c == winner ? 0.7f : 0.3f / (outputs - 1));
  }

  Answers answers_;
};

/// Returns one example of each outcome.
AnswersOf one_of_each() {
  AnswersOf all;
  all.add({.truth = 0, .frozen = 1, .asked = 0, .baseline = 1, .experts = {0, 2}});  // right
  all.add({.truth = 0, .frozen = 0, .asked = 1, .baseline = 1, .experts = {0, 3}});  // wrong group
  all.add({.truth = 3,
           .frozen = 2,
           .asked = 1,
           .baseline = 2,
           .experts = {0, 3},
           .listen_to_expert = false});                                              // overruled
  all.add({.truth = 2, .frozen = 3, .asked = 1, .baseline = 3, .experts = {0, 3}});  // wrong class
  // Right although the gate chose the wrong group: the importances select the baseline.
  all.add({.truth = 1,
           .frozen = 1,
           .asked = 1,
           .baseline = 1,
           .experts = {1, 3},
           .listen_to_expert = false});
  return all;
}

TEST(ErrorBudgets, PutEveryExampleInOnePlace) {
  const ErrorBudgets budgets = error_budgets(one_of_each().answers());
  EXPECT_EQ(budgets.all.right, 2);
  EXPECT_EQ(budgets.all.wrong_group, 1);
  EXPECT_EQ(budgets.all.overruled, 1);
  EXPECT_EQ(budgets.all.wrong_class, 1);
  EXPECT_EQ(budgets.all.oracle, 3) << "the one sent to the wrong group would be right as well";
  EXPECT_EQ(budgets.all.best, 4) << "all but the wrong class: its frozen baseline is wrong too";
  EXPECT_EQ(budgets.groups[0].examples(), 3);
  EXPECT_EQ(budgets.groups[1].examples(), 2);
  EXPECT_EQ(budgets.classes[0].wrong_group, 1);
  EXPECT_EQ(budgets.classes[3].overruled, 1);
}

TEST(ErrorBudgets, BlameTheGateFirst) {
  AnswersOf all;  // the other group's expert is right, and is overruled
  all.add({.truth = 1,
           .frozen = 0,
           .asked = 1,
           .baseline = 0,
           .experts = {0, 1},
           .listen_to_expert = false});
  const ErrorBudgets budgets = error_budgets(all.answers());
  EXPECT_EQ(budgets.all.wrong_group, 1);
  EXPECT_EQ(budgets.all.overruled, 0);
}

Mixture two_groups() {
  const Groups groups({{"left", {"a", "b"}}, {"right", {"c", "d"}}}, {"a", "b", "c", "d"});
  return mixture(groups, {32, 32, 3}, kClasses, CnnSize::small);
}

TEST(Verdict, ComparesTheMixtureWithTheFrozenBaseline) {
  const Verdict verdict = judge(one_of_each().answers());
  EXPECT_EQ(verdict.difference.only_first, 1);
  EXPECT_EQ(verdict.difference.only_second, 1);
  EXPECT_EQ(verdict.difference.p_value, 1);
  EXPECT_EQ(verdict.asked, (std::vector<std::int64_t>{1, 4}));
  EXPECT_EQ(verdict.mixture.accuracy, 0.4);
  EXPECT_NEAR(verdict.mixture.interval.low, share_interval(2, 5).low, 1e-15);
  const double of_frozen = -(2 * std::log(0.7) + 3 * std::log(0.1)) / 5;  // two right, three wrong
  EXPECT_NEAR(verdict.baseline.calibration.log_loss, of_frozen, 1e-6);
  EXPECT_EQ(verdict.best_control(), nullptr);
}

TEST(Verdict, NamesTheBestControl) {
  const Answers answers = one_of_each().control(3).control(4).control(1).answers();
  const Verdict verdict = judge(answers);
  ASSERT_EQ(verdict.controls.size(), 3u);
  EXPECT_EQ(verdict.best_control(), &verdict.controls[1]);
  // Both are right for the first four; of the others the mixture is right for the last, the
  // baseline for the second.
  EXPECT_EQ(verdict.controls[1].over_baseline.only_second, 3);
  EXPECT_EQ(verdict.controls[1].over_baseline.only_first, 1);
  EXPECT_EQ(verdict.controls[1].to_mixture.only_first, 3);
  EXPECT_EQ(verdict.controls[1].to_mixture.only_second, 1);
  EXPECT_EQ(verdict.controls[1].standing.accuracy, 0.8);
}

/// Returns 100 examples of the first group: the baseline is right for the first ones, the mixture
/// for others.
AnswersOf hundred(int baseline, int mixture, int examples = 100) {
  AnswersOf all;
  for (int i = 0; i < examples; ++i) {
    const int expert = i < mixture ? 0 : 1;
    all.add({.truth = 0,
             .frozen = i < baseline ? 0 : 1,
             .asked = 0,
             .baseline = expert,
             .experts = {expert, expert}});
  }
  return all;
}

TEST(Verdict, JudgesEachByItsOwnScores) {
  const Verdict verdict = judge(hundred(50, 60).control(75).answers());
  const auto expect = [](const Verdict::Standing& standing, int right) {
    EXPECT_EQ(standing.accuracy, right / 100.);
    EXPECT_NEAR(standing.interval.high, share_interval(right, 100).high, 1e-15);
    const double log_loss = -(right * std::log(0.7) + (100 - right) * std::log(0.1)) / 100;
    EXPECT_NEAR(standing.calibration.log_loss, log_loss, 1e-6);
  };
  expect(verdict.baseline, 50);
  expect(verdict.mixture, 60);
  expect(verdict.controls[0].standing, 75);
}

void expect_verdict(const Answers& answers, Finding better, Finding worth,
                    const std::string& words) {
  const Verdict verdict = judge(answers);
  EXPECT_EQ(to_string(improved(verdict)), std::string(to_string(better)));
  EXPECT_EQ(to_string(worth_it(verdict)), std::string(to_string(worth)));
  EXPECT_EQ(sentence(verdict), words);
}

TEST(Sentence, OfAGain) {
  expect_verdict(hundred(50, 60).answers(), Finding::yes, Finding::not_shown,
                 "The mixture gains 10.0 points over the baseline (p = .002).");
  expect_verdict(hundred(50, 60).control(50).answers(), Finding::yes, Finding::yes,
                 "The mixture gains 10.0 points over the baseline (p = .002), and a wider "
                 "baseline, the best control, gains 0.0 points: 10.0 points less than the mixture "
                 "(p = .002).");
  expect_verdict(hundred(50, 60).control(50).control(58).answers(), Finding::yes,
                 Finding::not_shown,
                 "The mixture gains 10.0 points over the baseline (p = .002), and a wider "
                 "baseline, the best control, gains 8.0 points: 2.0 points less than the mixture "
                 "(may be chance, p = .50).");
  expect_verdict(hundred(50, 60).control(75).answers(), Finding::yes, Finding::no,
                 "The mixture gains 10.0 points over the baseline (p = .002), but a wider baseline "
                 "gains 25.0 points.");
}

TEST(Sentence, OfALoss) {
  expect_verdict(hundred(60, 30).control(20).answers(), Finding::no, Finding::no,
                 "The mixture loses 30.0 points against the baseline (p < .001), and a wider "
                 "baseline, the best control, loses 40.0 points: 10.0 points less than the mixture "
                 "(p = .002).");
}

TEST(Sentence, OfWhatMayBeChance) {
  expect_verdict(
      hundred(50, 52).answers(), Finding::not_shown, Finding::not_shown,
      "The mixture gains 2.0 points over the baseline, which may be chance (p = .50, 95% "
      "interval -1.8 to +7.0).");
  expect_verdict(hundred(50, 50).control(50).answers(), Finding::not_shown, Finding::no,
                 "The mixture gains 0.0 points over the baseline, which may be chance (p = 1.00, "
                 "95% interval -3.7 to +3.7), and a wider baseline gains 0.0 points.");
}

TEST(Sentence, OfChanceThatBeatsItsControls) {
  EXPECT_EQ(worth_it(judge(hundred(50, 52).control(30).answers())), Finding::not_shown);
  EXPECT_EQ(improved(judge(hundred(500, 509, 1000).answers())), Finding::yes) << "p = .004";
}

std::string sentence_of(double difference, const Interval& interval, double p_value) {
  Verdict verdict;
  verdict.difference = {0, 0, difference, interval, p_value};
  return sentence(verdict);
}

TEST(Sentence, PrintsNoFigureThatContradictsIt) {
  EXPECT_EQ(sentence_of(.03, {.0001, .06}, .0496),
            "The mixture gains 3.0 points over the baseline (p = .0496).");
  EXPECT_EQ(sentence_of(.03, {.0001, .06}, .049996),
            "The mixture gains 3.0 points over the baseline (p = .049996).");
  EXPECT_EQ(sentence_of(.03, {.0001, .06}, .0494),
            "The mixture gains 3.0 points over the baseline (p = .049).");
  EXPECT_EQ(sentence_of(.03, {-.0004, .06}, .0504),
            "The mixture gains 3.0 points over the baseline, which may be chance (p = .050, 95% "
            "interval -0.04 to +6.0).");
  EXPECT_EQ(sentence_of(.03, {0, .06}, .06),
            "The mixture gains 3.0 points over the baseline, which may be chance (p = .060, 95% "
            "interval 0.0 to +6.0).");
  EXPECT_EQ(sentence_of(-.0002, {-.0004, .0001}, .2),
            "The mixture loses 0.02 points against the baseline, which may be chance (p = .20, 95% "
            "interval -0.04 to +0.01).");
}

TEST(Ask, TellsWhatTheCompiledMixtureTells) {
  const Mixture model = two_groups();
  MixtureWeights weights(model);
  std::uint32_t stage = 0;
  for (Weights* part : weights.parts()) part->initialize(1, ++stage);
  const Groups groups({{"left", {"a", "b"}}, {"right", {"c", "d"}}}, {"a", "b", "c", "d"});
  LabelledImages images{{32, 32, 3}, std::vector<std::uint8_t>(7 * 3072), {0, 1, 2, 3, 0, 1, 2}};
  for (std::size_t i = 0; i < images.pixels.size(); ++i) {
    images.pixels[i] = static_cast<std::uint8_t>(i * i >> 5);
  }
  images.files = {"0.png", "1.png", "2.png", "3.png", "4.png", "5.png", "6.png"};
  const Examples examples(images, {"a", "b", "c", "d"});
  const CompileOptions options{.batch = 4, .compute = Compute::exact};
  const Answers answers =
      ask(model.baseline, weights.baseline, model, weights, groups, examples, options);
  std::vector<float> pixels;
  for (const std::uint8_t pixel : images.pixels) pixels.push_back(pixel / 255.f);
  const std::vector<float> scores = answers.mixture();
  const auto compiled =
      compile_for_inference(model, weights, {.batch = 7, .compute = Compute::exact});
  const std::span<const float> outputs = compiled->predict(pixels, 7);
  ASSERT_EQ(outputs.size(), scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) EXPECT_NEAR(outputs[i], scores[i], 1e-6);
  EXPECT_EQ(answers.files, images.files);

  // The frozen baseline is another one.
  Weights frozen(model.baseline);
  frozen.initialize(1, 99);
  const Answers compared = ask(model.baseline, frozen, model, weights, groups, examples, options);
  EXPECT_EQ(compared.frozen, ask(model.baseline, frozen, examples, options));
  EXPECT_EQ(compared.baseline, answers.baseline);
  EXPECT_NE(compared.frozen, compared.baseline);
}

TEST(Cost, FrozenLayersNeedLessInTraining) {
  Sequential model{
      "m",
      {8, 8, 3},
      {Conv2D{"a", 4}, Conv2D{"b", 4}, Conv2D{"c", 4}, Flatten{"flat"}, Dense{"d", 2}}};
  const std::vector<LayerSummary> layers = summarize(model);
  const double all = 3 * count_flops(model);
  EXPECT_DOUBLE_EQ(cost_of(model).training_flops, all);
  model.frozen = {"a", "c"};
  EXPECT_DOUBLE_EQ(cost_of(model).training_flops, all - 2 * layers[0].flops - layers[2].flops);
  model.frozen = {"a/kernel"};
  EXPECT_DOUBLE_EQ(cost_of(model).training_flops, all) << "its bias learns";
}

TEST(Cost, CountsWhatOneImageNeeds) {
  const Mixture model = two_groups();
  const Cost one = cost_of(model.baseline);
  const Cost all = cost_of(model);
  EXPECT_EQ(one.parameters, one.active_parameters);
  EXPECT_EQ(all.parameters, count_parameters(model));
  const auto& branch = model.branches[0];
  EXPECT_EQ(all.active_parameters,
            all.parameters - count_parameters(branch.expert) - count_parameters(branch.importance));
  EXPECT_DOUBLE_EQ(one.training_flops, 3 * one.flops);
  EXPECT_DOUBLE_EQ(all.training_flops, 3 * all.active_flops - 2 * count_flops(model.gate));
  EXPECT_DOUBLE_EQ(all.active_flops,
                   all.flops - count_flops(branch.expert) - count_flops(branch.importance));
  // conv1.1: 32 x 32 pixels of 32 filters over 3 x 3 x 3 values, two operations each.
  EXPECT_GT(one.flops, 2. * 32 * 32 * 32 * 27);
  EXPECT_DOUBLE_EQ(summarize(model.baseline)[0].flops, 2. * 32 * 32 * 32 * 27);
}

TEST(Cost, OfUnequalGroupsCountsTheDearestAsActive) {
  const auto wide = [](const char* name, int outputs, double width) {
    return cnn(name, {32, 32, 3}, outputs, CnnSize::small, width);
  };
  const auto importance = [](const char* name) {
    return importance_model(name, {32, 32, 3}, kClasses);
  };
  const Mixture model{wide("baseline", kClasses, 1),
                      wide("gate", 3, 1),
                      {{"a", wide("a", kClasses, 1), importance("i")},
                       {"b", wide("b", kClasses, 2), importance("j")},
                       {"c", wide("c", kClasses, 1.5), importance("k")}}};
  const Cost cost = cost_of(model);
  std::int64_t active = 0;
  double flops = 0;
  for (const Sequential* part :
       {&model.baseline, &model.gate, &model.branches[1].expert, &model.branches[1].importance}) {
    active += count_parameters(*part);
    flops += count_flops(*part);
  }
  EXPECT_EQ(cost.parameters, count_parameters(model));
  EXPECT_EQ(cost.active_parameters, active);
  EXPECT_DOUBLE_EQ(cost.active_flops, flops);
  EXPECT_DOUBLE_EQ(cost.training_flops, 3 * flops - 2 * count_flops(model.gate));
}

/// Takes a fixed time for each image, and keeps the images.
class SlowModel : public CompiledModel {
 public:
  int max_batch() const override { return 1; }
  const Shape& input_shape() const override { return shape_; }
  int outputs() const override { return 1; }
  bool ends_in_softmax() const override { return false; }
  std::span<const float> predict(std::span<const float> images, int) override {
    asked.insert(images[0]);
    std::this_thread::sleep_for(std::chrono::microseconds(300));
    return output_;
  }
  std::span<const float> forward(std::span<const float>, int, const RandomKey&) override {
    return output_;
  }
  std::span<const float> logits() const override { return {}; }
  void backward(std::span<const float>, GradientOf) override {}
  std::vector<Trained> trained() override { return {}; }
  std::string first_not_finite() const override { return {}; }
  void start_profile() override {}
  std::vector<LayerProfile> profile() const override { return {}; }

  std::set<float> asked;

 private:
  Shape shape_{1, 1, 1};
  std::vector<float> output_{1};
};

TEST(Latency, IsInMillisecondsAndOfAllImagesInTurn) {
  const LabelledImages images{{1, 1, 1}, {1, 2, 3}, {0, 0, 0}};
  SlowModel model;
  EXPECT_GE(latency_ms(model, {images, {"a"}}), 0.3);
  EXPECT_EQ(model.asked.size(), 3u);
}

TEST(DeadExperts, AreThoseHardlyAsked) {
  Verdict verdict;
  verdict.asked = {951, 49};
  EXPECT_EQ(dead_experts(verdict), std::vector<int>{1});
  verdict.asked = {950, 50};
  EXPECT_TRUE(dead_experts(verdict).empty());
}

}  // namespace
}  // namespace sluice
