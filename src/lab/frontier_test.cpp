#include "sluice/lab/frontier.h"

#include <gmock/gmock.h>

#include <cmath>

#include "graph/layer_types.h"
#include "sluice/error.h"
#include "sluice/lab/verdict.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t kTestImages = 1000;
constexpr double kMega = 1e6;

/// A point whose seeds classify the first images correctly, so many each.
FrontierPoint point(FrontierPoint::Kind kind, double mflop, const std::vector<int>& right,
                    double validation, double training = 1) {
  FrontierPoint one{.kind = kind, .words = fmt::format("at {}", mflop)};
  one.flops = mflop * kMega;
  one.training_flops = training;
  for (const int count : right) {
    FrontierPoint::Seed seed{.validation = validation, .flops = one.flops};
    seed.right.assign(kTestImages, 0);
    std::fill_n(seed.right.begin(), count, 1);
    one.seeds.push_back(seed);
  }
  return one;
}

using Kind = FrontierPoint::Kind;

TEST(FrontierPoint, TheIntervalOverTheSeedsIsStudents) {
  // t(1) has its 97.5th percentile at 12.7062; the standard error is 0.005.
  const Interval of_two = point(Kind::dense, 10, {730, 740}, .7).test_interval();
  EXPECT_NEAR(of_two.low, .735 - .063531, 1e-6);
  EXPECT_NEAR(of_two.high, .735 + .063531, 1e-6);
  const Interval of_one = point(Kind::dense, 10, {730}, .7).test_interval();
  EXPECT_EQ(of_one.low, of_one.high);
}

TEST(FrontierDifference, OfOneSeedIsMcNemars) {
  const FrontierPoint mixture = point(Kind::mixture, 10, {730}, .7);
  const FrontierPoint dense = point(Kind::dense, 10, {700}, .7);
  const FrontierDifference found = compare(mixture, dense);
  const PairedComparison same = compare(dense.seeds[0].right, mixture.seeds[0].right);
  EXPECT_DOUBLE_EQ(found.difference, .03);
  EXPECT_EQ(found.p_value, same.p_value);
  EXPECT_EQ(found.interval.low, same.interval.low);
  EXPECT_EQ(found.same_sign(), 1);
}

TEST(FrontierDifference, OfSeedsHasTheWiderIntervalAndTheLargerPValue) {
  // Differences of .01, .03, .02: mean .02, standard error .01 / sqrt(3). Student's t with two
  // degrees of freedom: p = .0742 at 3.46 standard errors, and 4.303 of them for 95% (tables).
  const FrontierPoint mixture = point(Kind::mixture, 10, {710, 730, 720}, .7);
  const FrontierPoint dense = point(Kind::dense, 10, {700, 700, 700}, .7);
  const FrontierDifference found = compare(mixture, dense);
  EXPECT_NEAR(found.difference, .02, 1e-12);
  EXPECT_NEAR(found.standard_error, .01 / std::sqrt(3), 1e-9);
  EXPECT_NEAR(found.p_value, .0742, 5e-4);
  EXPECT_NEAR(found.interval.high - .02, 4.303 * .01 / std::sqrt(3), 1e-5);
  EXPECT_EQ(found.same_sign(), 3);

  // Without spread among the seeds the images decide: 20 of 1000 differ, in one direction.
  const FrontierDifference equal = compare(point(Kind::mixture, 10, {720, 720, 720}, .7), dense);
  const double error = std::sqrt(.02 * .98 / 999);
  EXPECT_NEAR(equal.interval.high - .02, 1.95996 * error, 1e-5);
  EXPECT_NEAR(equal.p_value, std::erfc(.02 / error / std::sqrt(2.0)), 1e-9);
}

TEST(FrontierDifference, NeedsEqualNumbersOfSeeds) {
  EXPECT_THAT(
      [] {
        compare(point(Kind::mixture, 1, {1, 2}, 0), point(Kind::dense, 1, {1}, 0));
      },
      testing::ThrowsMessage<Error>(HasSubstr("'at 1' has 2 seeds and 'at 1' has 1")));
}

TEST(FrontierVerdict, ChoosesTheRivalByValidationAmongThoseThatNeedNoMoreWork) {
  const std::vector<FrontierPoint> points{
      point(Kind::mixture, 10, {750, 752}, .74), point(Kind::dense, 5, {700, 704}, .69),
      point(Kind::dense, 9, {710, 712}, .72),    point(Kind::dense, 9.5, {740, 742}, .71),
      point(Kind::dense, 12, {760, 762}, .76),   point(Kind::dense, 8, {730, 732}, .75, 1.1),
      point(Kind::share, 9, {745, 746}, .78),    point(Kind::random, 10, {700, 699}, .70)};
  const FrontierVerdict verdict = judge(points);
  EXPECT_EQ(verdict.rival, 2) << "the fourth is better on test images alone, the fifth needs more "
                                 "for an image, the sixth more in training";
  EXPECT_NEAR(verdict.over_rival->difference, .04, 1e-12);
  EXPECT_NEAR(verdict.over_random->difference, .0515, 1e-12);
  // Between 9.5 MFLOP with .741 and 12 with .761, over the logarithm.
  EXPECT_NEAR(*verdict.dense_flops / kMega, 9.5 * std::pow(12 / 9.5, .5), 1e-9);
  EXPECT_EQ(sentence(points, verdict),
            "At 10.0 MFLOP an image the mixture is 4.0 points above the best dense network (at 9, "
            "9.0 MFLOP): p < .001, 2 of 2 seeds, 95% interval +2.8 to +5.2. A dense one needs 10.7 "
            "MFLOP for its accuracy.");
}

TEST(FrontierVerdict, SaysSoWithoutARivalOrWhereChanceExplainsTheDifference) {
  const FrontierPoint mixture = point(Kind::mixture, 10, {750}, .74);
  const std::vector<FrontierPoint> dear{mixture, point(Kind::dense, 12, {700}, .7)};
  EXPECT_EQ(judge(dear).rival, -1);
  EXPECT_FALSE(judge(dear).dense_flops);
  EXPECT_THAT(sentence(dear, judge(dear)), HasSubstr("add smaller widths to compare it with"));
  const std::vector<FrontierPoint> level{mixture, point(Kind::dense, 10, {752}, .75)};
  EXPECT_THAT(sentence(level, judge(level)),
              HasSubstr("0.2 points below the best dense network (at 10, 10.0 MFLOP), which may be "
                        "chance: p = .50, one seed, 95% interval -0.7 to +0.2."));
  const std::vector<FrontierPoint> best{mixture, point(Kind::dense, 10, {700}, .7)};
  EXPECT_THAT(sentence(best, judge(best)),
              testing::EndsWith("No dense one of the sweep reaches its accuracy."));
  EXPECT_THROW(judge(std::vector<FrontierPoint>()), Error);
}

Sequential expert(const std::string& name, int filters) {
  Sequential model{name};
  model.layers = {Conv2D{"conv", filters}, GlobalMaxPooling2D{"pool"}, Dense{"logits", 3}};
  return model;
}

/// Two convolutions, the logits of a first answer, and a cascade on the first convolution.
NetworkChoice cascade() {
  NetworkChoice choice;
  choice.name = "layers";
  choice.layers.layers = {Conv2D{"conv1", 8}, Conv2D{"conv2", 12}, GlobalMaxPooling2D{"pool"},
                          Dense{"first", 3},
                          Cascade{.name = "cascade", .experts = {expert("expert1", 20)}}};
  choice.layers.inputs["cascade"] = {"conv1", "first"};
  return choice;
}

/// The layers' names with their filters or units, and inputs where they have some.
std::vector<std::string> described(const Sequential& model) {
  std::vector<std::string> all;
  for (const Layer& layer : model.layers) {
    std::string text = name_of(layer);
    if (const auto* convolution = std::get_if<Conv2D>(&layer)) {
      text += fmt::format(" {}", convolution->filters);
    }
    if (const auto* dense = std::get_if<Dense>(&layer)) text += fmt::format(" {}", dense->units);
    if (const auto inputs = model.inputs.find(name_of(layer)); inputs != model.inputs.end()) {
      text += fmt::format(" of {}", fmt::join(inputs->second, ", "));
    }
    all.push_back(text);
  }
  return all;
}

TEST(DenseNetwork, OfACascadeIsItsFirstAnswer) {
  const NetworkChoice dense = dense_network(cascade());
  EXPECT_THAT(described(dense.layers), ElementsAre("conv1 8", "conv2 12", "pool"));
  EXPECT_TRUE(is_routed(cascade()));
  EXPECT_FALSE(is_routed(dense));
  EXPECT_EQ(dense_network(NetworkChoice()).name, "lab");
}

TEST(DenseNetwork, HasOneExpertInPlaceOfAMixture) {
  NetworkChoice choice;
  choice.name = "layers";
  Sequential first{"expert1"};
  first.layers = {Conv2D{"conv", 12}, ActivationLayer{"relu"}};
  Sequential second = first;
  second.name = "expert2";
  choice.layers.layers = {
      Conv2D{"conv1", 8},  GlobalMaxPooling2D{"pooled"},
      Dense{"gate", 2},    MixtureOfExperts{.name = "experts", .experts = {first, second}},
      Conv2D{"conv2", 16}, GlobalMaxPooling2D{"pool"}};
  choice.layers.inputs["experts"] = {"conv1", "gate"};
  EXPECT_THAT(described(dense_network(choice).layers),
              ElementsAre("conv1 8", "experts.conv 12", "experts.relu", "conv2 16", "pool"));
}

TEST(DenseNetwork, HasOneKernelInPlaceOfSeveral) {
  NetworkChoice choice;
  choice.name = "layers";
  choice.layers.layers = {Conv2D{"conv1", 8},
                          CondConv2D{"mixed", 12, 4, 5, Activation::relu, 2, Padding::valid, false},
                          GlobalMaxPooling2D{"pool"}};
  EXPECT_TRUE(is_routed(choice));
  const NetworkChoice dense = dense_network(choice);
  EXPECT_THAT(described(dense.layers), ElementsAre("conv1 8", "mixed 12", "pool"));
  const auto& convolution = std::get<Conv2D>(dense.layers.layers[1]);
  EXPECT_EQ(convolution.kernel_size, Size2D(5));
  EXPECT_EQ(convolution.activation, Activation::relu);
  EXPECT_EQ(convolution.strides, Size2D(2));
  EXPECT_EQ(convolution.padding, Padding::valid);
  EXPECT_FALSE(convolution.use_bias);
  choice.width = 2;
  const Sequential wide = network("wide", {16, 16, 3}, 3, choice);
  EXPECT_EQ(std::get<CondConv2D>(wide.layers[1]).filters, 24);
}

TEST(WidthOfLayers, LeavesLogitsAsTheyAre) {
  NetworkChoice choice = cascade();
  choice.width = 1.5;
  const Sequential model = network("wide", {16, 16, 3}, 3, choice);
  EXPECT_THAT(described(model), ElementsAre("conv1 12", "conv2 20", "pool", "first 3",
                                            "cascade of conv1, first", "output"));
  EXPECT_THAT(described(std::get<Cascade>(model.layers[4]).experts.front()),
              ElementsAre("conv 32", "pool", "logits 3"));
}

TEST(TrainingFlops, AreThoseOfAllStagesAndTheirOwnImages) {
  const Dataset data = load_data({.train_images = 40, .test_images = 20}, "builtin", {});
  LabOptions options;
  options.epochs = {1, 2, 3, 4};
  const Groups none({}, data.class_names, "none");
  const Lab alone(options, data, none);
  const auto cost = [](const auto& model) { return cost_of(model).training_flops; };
  const Shape shape = data.train.shape;
  EXPECT_DOUBLE_EQ(training_flops(alone), 40 * cost(cnn("", shape, 10, CnnSize::small)));
  const Groups groups({{"a", {"airplane", "automobile", "ship", "truck"}},
                       {"b", {"bird", "cat", "deer", "dog", "frog", "horse"}}},
                      data.class_names, "two");
  const Lab lab(options, data, groups);
  const double ten = cost(cnn("", shape, 10, CnnSize::small));
  EXPECT_DOUBLE_EQ(
      training_flops(lab),
      40 * (ten + 2 * ten + 3 * cost(cnn("", shape, 2, CnnSize::small)) + 4 * cost(lab.declare())));
}

}  // namespace
}  // namespace sluice
