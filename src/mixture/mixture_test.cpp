#include <algorithm>
#include <cmath>
#include <set>

#include "mixture/routing.h"
#include "mixture/sub_gate.h"
#include "runtime/network_testing.h"
#include "runtime/reference_network.h"
#include "sluice/lab/models.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using reference::ReferenceNetwork;
using reference::Values;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

TEST(Routing, SendsEachRowToItsLargestAndOfEqualOnesToTheLast) {
  std::vector<std::vector<int>> rows(2);
  route(std::vector<float>{.9f, .1f, .2f, .8f, .5f, .5f, .6f, .4f}, rows);
  EXPECT_EQ(rows[0], (std::vector<int>{0, 3}));
  EXPECT_EQ(rows[1], (std::vector<int>{1, 2}));

  std::vector<std::vector<int>> of_three{{7}, {7}, {7}};  // earlier rows are removed
  route(std::vector<float>{.1f, .1f, .1f, .4f, .4f, .2f}, of_three);
  EXPECT_EQ(of_three, (std::vector<std::vector<int>>{{}, {1}, {0}}));
}

TEST(SubGate, WeighsBaselineFirstAndExpertSecond) {
  const float baseline[] = {1, 2};
  const float expert[] = {10, 20};
  const float importance[] = {.5f, .25f, .125f, .5f};
  float output[2];
  sub_gate(baseline, expert, importance, 2, output);
  EXPECT_FLOAT_EQ(output[0], 1 * .5f + 10 * .25f);
  EXPECT_FLOAT_EQ(output[1], 2 * .125f + 20 * .5f);

  const float diff[] = {3, 5};
  float diff_baseline[2], diff_expert[2], diff_importance[4];
  sub_gate_backward(baseline, expert, importance, 2, diff, diff_baseline, diff_expert,
                    diff_importance);
  EXPECT_FLOAT_EQ(diff_baseline[1], 5 * .125f);
  EXPECT_FLOAT_EQ(diff_expert[0], 3 * .25f);
  EXPECT_FLOAT_EQ(diff_importance[0], 3 * 1);
  EXPECT_FLOAT_EQ(diff_importance[3], 5 * 20);
}

/// A small mixture of three groups, and its dense form in plain loops, in which every part runs for
/// every image and a mask selects.
class MixtureTest : public testing::Test {
 protected:
  static constexpr int kBatch = 12;
  static constexpr int kClasses = 4;
  static constexpr int kGroups = 3;
  static constexpr std::size_t kImage = 4 * 4 * 3;

  static Sequential part(const std::string& name, int outputs) {
    return {name,
            {4, 4, 3},
            {Conv2D{"conv", 8}, Dropout{"drop", 0.25f}, Flatten{"flatten"},
             Dense{"output", outputs, Activation::softmax}}};
  }

  static Mixture declare() {
    Mixture model{part("baseline", kClasses), part("gate", kGroups), {}};
    for (int g = 0; g < kGroups; ++g) {
      const std::string name = std::to_string(g);
      model.branches.push_back({name, part("expert-" + name, kClasses),
                                importance_model("importance-" + name, {4, 4, 3}, kClasses)});
    }
    return model;
  }

  MixtureTest() : weights_(model_) {
    std::uint32_t stream = 0;
    for (Weights* part : weights_.parts()) part->initialize(4, ++stream);
  }

  struct DenseForm {
    Values output;
    std::vector<std::vector<float>> gradients;  ///< in the order of CompiledModel::trained()
    std::vector<int> rows = std::vector<int>(kGroups, 0);
  };

  DenseForm dense_form(const std::vector<float>& images, const std::vector<float>& diff) const {
    const Values in(images.begin(), images.end());
    ReferenceNetwork baseline(model_.baseline, weights_.baseline);
    const Values b = baseline.forward(in, kBatch);
    const Values gate = ReferenceNetwork(model_.gate, weights_.gate).forward(in, kBatch);
    DenseForm dense{Values(b.size()), {}, {}};
    dense.rows.assign(kGroups, 0);
    Values diff_b(b.size());
    for (int g = 0; g < kGroups; ++g) {
      ReferenceNetwork expert(model_.branches[g].expert, weights_.experts[g]);
      ReferenceNetwork importance(model_.branches[g].importance, weights_.importances[g]);
      const Values e = expert.forward(in, kBatch);
      const Values w = importance.forward(in, kBatch);
      Values diff_e(e.size()), diff_w(w.size());
      for (int n = 0; n < kBatch; ++n) {
        const std::vector<float> row(gate.begin() + n * kGroups, gate.begin() + (n + 1) * kGroups);
        const double selected = chosen_group(row) == g ? 1 : 0;
        dense.rows[g] += selected > 0;
        for (int c = 0; c < kClasses; ++c) {
          const int i = n * kClasses + c;
          dense.output[i] += selected * (b[i] * w[2 * i] + e[i] * w[2 * i + 1]);
          diff_b[i] += selected * diff[i] * w[2 * i];
          diff_e[i] = selected * diff[i] * w[2 * i + 1];
          diff_w[2 * i] = selected * diff[i] * b[i];
          diff_w[2 * i + 1] = selected * diff[i] * e[i];
        }
      }
      dense.gradients.push_back(expert.backward(diff_e));
      dense.gradients.push_back(importance.backward(diff_w));
    }
    dense.gradients.insert(dense.gradients.begin(), baseline.backward(diff_b));
    return dense;
  }

  void expect_dense_form(int least_groups) {
    const std::vector<float> images = random_images(kBatch * kImage);
    const std::vector<float> diff = random_images(kBatch * kClasses, 5);
    const DenseForm dense = dense_form(images, diff);
    const auto used = kGroups - std::count(dense.rows.begin(), dense.rows.end(), 0);
    ASSERT_EQ(used, least_groups) << "the test's routing is not what it is for";

    const auto compiled = compile(model_, weights_, {kBatch});
    EXPECT_LT(relative_error(compiled->predict(images, kBatch), dense.output), 1e-5);
    compiled->backward(diff, GradientOf::output);
    const auto trained = compiled->trained();
    ASSERT_EQ(trained.size(), dense.gradients.size());
    for (std::size_t i = 0; i < trained.size(); ++i) {
      EXPECT_LT(relative_error(trained[i].gradients, dense.gradients[i]), 1e-4) << i;
    }
  }

  /// Makes the gate prefer some groups by the output's bias, the last tensor.
  void set_gate_bias(std::vector<float> bias) {
    const auto values = weights_.gate.values(weights_.gate.tensors().back());
    std::copy(bias.begin(), bias.end(), values.begin());
  }

  Mixture model_ = declare();
  MixtureWeights weights_;
};

TEST_F(MixtureTest, EqualsTheDenseFormOverAllGroups) {
  expect_dense_form(3);
}

TEST_F(MixtureTest, EqualsTheDenseFormWhereOneGroupHasNoImage) {
  set_gate_bias({-100, 0, 0});
  expect_dense_form(2);
}

TEST_F(MixtureTest, EqualsTheDenseFormWhereOneGroupHasThemAll) {
  set_gate_bias({0, 100, 0});
  expect_dense_form(1);
}

TEST_F(MixtureTest, AnUnusedExpertsGradientsAreZeroEvenAfterItWasUsed) {
  const auto compiled = compile(model_, weights_, {kBatch});
  const std::vector<float> images = random_images(kBatch * kImage);
  const std::vector<float> diff = random_images(kBatch * kClasses, 5);
  compiled->predict(images, kBatch);
  compiled->backward(diff, GradientOf::output);
  set_gate_bias({0, 100, 0});
  compiled->predict(images, kBatch);
  compiled->backward(diff, GradientOf::output);
  const auto trained = compiled->trained();
  for (const int unused : {1, 2, 5, 6}) {  // baseline, then expert and importance of each group
    for (const float g : trained[unused].gradients) ASSERT_EQ(g, 0);
  }
}

/// Baseline and expert have the same weights and image. With a shared mask the same features would
/// remain, and the gradients of their output kernels would have the same rows of zeros.
TEST_F(MixtureTest, EveryPartDrawsDropoutMasksOfItsOwn) {
  set_gate_bias({100, 0, 0});
  const auto copied = weights_.baseline.values();
  std::copy(copied.begin(), copied.end(), weights_.experts[0].values().begin());
  const auto compiled = compile(model_, weights_, {kBatch});
  const std::vector<float> images = random_images(kImage);
  const std::vector<float> diff = random_images(kClasses, 5);
  const auto dropped = [&](const CompiledModel::Trained& part) {
    const std::size_t kernel = weights_.baseline.tensors()[2].offset;
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < weights_.baseline.tensors()[2].size / kClasses; ++row) {
      const auto values = part.gradients.subspan(kernel + row * kClasses, kClasses);
      if (std::ranges::all_of(values, [](float g) { return g == 0; })) rows.push_back(row);
    }
    return rows;
  };
  compiled->forward(images, 1, {.seed = 1, .stage = 3, .step = 0});
  compiled->backward(diff, GradientOf::output);
  const auto trained = compiled->trained();
  EXPECT_FALSE(dropped(trained[0]).empty()) << "nothing was dropped: the test sees nothing";
  EXPECT_NE(dropped(trained[0]), dropped(trained[1]));
  compiled->predict(images, 1);
  compiled->backward(diff, GradientOf::output);
  EXPECT_EQ(dropped(compiled->trained()[0]), dropped(compiled->trained()[1]));
}

/// Masks of an image do not depend on the groups of the other images in its batch.
TEST_F(MixtureTest, MasksAreThoseOfThePartWhateverElseIsRouted) {
  const auto compiled = compile(model_, weights_, {kBatch});
  const RandomKey key{.seed = 1, .stage = 3, .step = 0};
  int compared = 0;
  for (std::uint32_t stream = 1; stream <= 40; ++stream) {
    const std::vector<float> two = random_images(2 * kImage, stream);
    const auto both = compiled->forward(two, 2, key);
    const std::vector<float> first(both.begin(), both.begin() + kClasses);
    if (compiled->route(0)->group <= compiled->route(1)->group) continue;
    ++compared;
    EXPECT_LT(relative_error(compiled->forward(std::span(two).first(kImage), 1, key), first), 1e-5);
  }
  EXPECT_GT(compared, 0) << "the test sees nothing";
}

TEST_F(MixtureTest, TellsTheFirstLayerThatIsNotFinite) {
  const auto compiled = compile(model_, weights_, {kBatch});
  EXPECT_EQ(compiled->first_not_finite(), "");
  weights_.importances[1].values()[0] = NAN;
  EXPECT_EQ(compiled->first_not_finite(), "importance-1's dense1");
  weights_.experts[1].values()[0] = NAN;
  EXPECT_EQ(compiled->first_not_finite(), "expert-1's conv");
  weights_.baseline.values()[0] = NAN;
  EXPECT_EQ(compiled->first_not_finite(), "baseline's conv");
}

TEST_F(MixtureTest, ProfilesAllItsParts) {
  const auto compiled = compile(model_, weights_, {kBatch});
  compiled->start_profile();
  compiled->predict(random_images(kBatch * kImage), kBatch);
  std::set<std::string> profiled;
  for (const LayerProfile& layer : compiled->profile()) profiled.insert(layer.model);
  std::set<std::string> parts;
  for (const Sequential* part : model_.parts()) parts.insert(part->name);
  EXPECT_EQ(profiled, parts);
}

TEST_F(MixtureTest, TellsTheWayOfEachImage) {
  const std::vector<float> images = random_images(kBatch * kImage);
  const auto compiled = compile_for_inference(model_, weights_, {.batch = kBatch});
  EXPECT_THAT(error_of(Fault::user, [&] { compiled->route(0); }), HasSubstr("no row 0"));
  const std::span<const float> output = compiled->predict(images, kBatch);
  std::set<int> groups;
  for (int row = 0; row < kBatch; ++row) {
    const Route route = compiled->route(row).value();
    const auto alone = [&](const Sequential& part, const Weights& weights) {
      const auto network = compile_for_inference(part, weights, {.batch = 1});
      EXPECT_FALSE(network->route(0)) << "of a network there is none";
      const std::span<const float> its =
          network->predict(std::span(images).subspan(row * kImage, kImage), 1);
      return std::vector<float>(its.begin(), its.end());
    };
    const auto is = [](const std::vector<float>& expected) {
      return Pointwise(FloatNear(1e-6f), expected);
    };
    const Mixture::Branch& branch = model_.branches[route.group];
    EXPECT_EQ(route.group, chosen_group(route.gate));
    EXPECT_THAT(route.gate, is(alone(model_.gate, weights_.gate)));
    EXPECT_THAT(route.baseline, is(alone(model_.baseline, weights_.baseline)));
    EXPECT_THAT(route.expert, is(alone(branch.expert, weights_.experts[route.group])));
    EXPECT_THAT(route.importance, is(alone(branch.importance, weights_.importances[route.group])));
    std::vector<float> expected(kClasses);
    sub_gate(route.baseline.data(), route.expert.data(), route.importance.data(), kClasses,
             expected.data());
    EXPECT_TRUE(std::ranges::equal(output.subspan(row * kClasses, kClasses), expected));
    groups.insert(route.group);
  }
  EXPECT_GT(groups.size(), 1u) << "one group alone does not show that rows are told apart";
  EXPECT_THAT(error_of(Fault::user, [&] { compiled->route(kBatch); }), HasSubstr("no row 12"));
}

TEST_F(MixtureTest, WhatDoesNotFitIsRefused) {
  const auto said = [](const auto& call) { return error_of(Fault::user, call); };
  const std::vector<float> images = random_images(kBatch * kImage);
  const std::vector<float> gradient(kBatch * kClasses);
  {
    const auto compiled = compile_for_inference(model_, weights_, {.batch = kBatch});
    EXPECT_THAT(said([&] { compiled->predict(images, kBatch + 1); }),
                HasSubstr("images for a model compiled for 1 to"));
    EXPECT_THAT(said([&] { compiled->predict(images, kBatch - 1); }), HasSubstr("values for"));
    compiled->predict(images, kBatch);
    EXPECT_THAT(said([&] { compiled->backward(gradient, GradientOf::output); }),
                HasSubstr("on a model compiled for training"));
    EXPECT_THAT(said([&] { compiled->logits(); }), HasSubstr("does not end in a softmax"));
  }
  EXPECT_THAT(said([&] { compile(model_, weights_, {.batch = 0}); }), HasSubstr("a batch of 0"));
  const Weights last = weights_.experts.back();
  weights_.experts.pop_back();
  EXPECT_THAT(said([&] { compile(model_, weights_, {}); }), HasSubstr("branches, but weights of"));
  weights_.experts.push_back(last);
  Mixture without = model_;
  without.branches.pop_back();
  EXPECT_THAT(said([&] { compile(without, weights_, {}); }), HasSubstr("gate must have"));
  Mixture other = model_;
  other.branches[0].importance = importance_model("importance-x", {8, 8, 3}, kClasses + 1);
  EXPECT_THAT(said([&] { compile(other, weights_, {}); }), HasSubstr("importance-x must have"));
  other.branches[0].importance = importance_model("importance-x", {8, 8, 3}, kClasses);
  EXPECT_THAT(said([&] { compile(other, weights_, {}); }),
              HasSubstr("importance-x must have the baseline's input"));
  other.branches[0].importance = importance_model("importance-1", {4, 4, 3}, kClasses);
  EXPECT_THAT(said([&] { compile(other, weights_, {}); }),
              HasSubstr("importance-1 must have a name of its own"));
}

TEST_F(MixtureTest, TheGateIsNotTrained) {
  const auto compiled = compile(model_, weights_, {kBatch});
  for (const auto& trained : compiled->trained()) {
    EXPECT_NE(trained.weights.data(), weights_.gate.values().data());
  }
  EXPECT_EQ(compiled->trained().size(), 1u + 2 * kGroups);
}

TEST_F(MixtureTest, ANormalisationOfTheGateKeepsItsStatistics) {
  model_.gate.layers = {Conv2D{"conv", 8}, BatchNormalization{"norm"}, Flatten{"flatten"},
                        Dense{"output", kGroups, Activation::softmax}};
  model_.baseline.layers.insert(model_.baseline.layers.begin() + 1, BatchNormalization{"norm"});
  weights_ = MixtureWeights(model_);
  std::uint32_t stream = 0;
  for (Weights* part : weights_.parts()) part->initialize(4, ++stream);
  const MixtureWeights before = weights_;
  const auto compiled = compile(model_, weights_, {kBatch});
  const std::vector<float> images = random_images(kBatch * kImage);
  const auto gate_outputs = [&] {
    std::vector<float> all;
    for (int row = 0; row < kBatch; ++row) {
      const Route route = *compiled->route(row);
      all.insert(all.end(), route.gate.begin(), route.gate.end());
    }
    return all;
  };
  compiled->predict(images, kBatch);
  const std::vector<float> predicted = gate_outputs();
  compiled->forward(images, kBatch, RandomKey{});
  EXPECT_EQ(gate_outputs(), predicted);
  EXPECT_TRUE(std::ranges::equal(weights_.gate.values(), before.gate.values()));
  EXPECT_FALSE(std::ranges::equal(weights_.baseline.values(), before.baseline.values()));
}

}  // namespace
}  // namespace sluice
