#include "sluice/lab/lab.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<Groups::Group> kGroups{{"artificial", {"ship"}}, {"natural", {"cat", "dog"}}};

TEST(Stages, AreInTheOrderOfTrainingWithNamesThatFilesHave) {
  const auto names = [](const LabOptions& options) {
    std::vector<std::string> all;
    for (const Stage& stage : stages(options, kGroups)) all.push_back(stage.name);
    return all;
  };
  EXPECT_THAT(names({}),
              ElementsAre("baseline", "expert-artificial", "expert-natural", "gate", "mixture"));
  EXPECT_THAT(names({.controls = {true, true, true}}),
              ElementsAre("baseline", "expert-artificial", "expert-natural", "gate", "mixture",
                          "control-longer", "control-second", "control-wider"));
  EXPECT_THAT(names({.controls = {.average = true}}),
              ElementsAre("baseline", "expert-artificial", "expert-natural", "gate", "mixture",
                          "control-second"));
}

TEST(Stages, WithoutGroupsAreTheBaseline) {
  const std::vector<Stage> table = stages({}, {});
  ASSERT_EQ(table.size(), 1u);
  EXPECT_EQ(table[0].name, "baseline");
  EXPECT_EQ(table[0].random, stages({}, kGroups)[0].random) << "the same network as with groups";
  EXPECT_THAT(error_of(Fault::user, [] { stages({.controls = {.longer = true}}, {}); }),
              HasSubstr("[controls] controls are baselines to compare a mixture with"));
}

/// Another number gives another run for the same seed.
TEST(Stages, KeepTheirRandomNumbers) {
  std::vector<std::uint32_t> random;
  for (const Stage& stage : stages({.controls = {true, true, true}}, kGroups)) {
    random.push_back(stage.random);
  }
  EXPECT_THAT(random, ElementsAre(1, 16, 17, 2, 3, 1, 4, 5));
}

TEST(Stages, HaveTheEpochsOfTheExperiment) {
  LabOptions options{.controls = {true, true, true}};
  options.epochs = {.baseline = 1, .experts = 2, .gate = 3, .mixture = 4};
  std::vector<int> epochs;
  for (const Stage& stage : stages(options, kGroups)) epochs.push_back(stage.epochs);
  EXPECT_THAT(epochs, ElementsAre(1, 2, 2, 3, 4, 0, 1, 1));
  const Stage longer = stages(options, kGroups)[5].of_epochs(7);
  EXPECT_EQ(longer.epochs, 7);
  EXPECT_EQ(longer.title, "a baseline of 7 epochs");
  EXPECT_EQ(longer.control, "longer");
}

TEST(Stages, BeforeTheBaselineShareAnOptimizerUntilOneDoesNotKeepIt) {
  LabOptions options{.before = {{.name = "a", .epochs = 3},
                                {.name = "b", .epochs = 5, .keep_optimizer = false},
                                {.name = "c", .epochs = 7, .experts = false},
                                {.name = "d", .epochs = 11}}};
  options.epochs.baseline = 13;
  std::vector<std::string> names;
  std::vector<std::uint32_t> random;
  std::vector<int> epochs, before, after;
  for (const Stage& stage : stages(options, {})) {
    names.push_back(stage.name);
    random.push_back(stage.random);
    epochs.push_back(stage.epochs);
    before.push_back(stage.epochs_before);
    after.push_back(stage.epochs_after);
  }
  EXPECT_THAT(names, ElementsAre("a", "b", "c", "d", "baseline"));
  EXPECT_THAT(random, ElementsAre(6, 7, 8, 9, 1)) << "their shuffles, which must not change";
  EXPECT_THAT(epochs, ElementsAre(3, 5, 7, 11, 13));
  EXPECT_THAT(before, ElementsAre(0, 3, 0, 7, 18));
  EXPECT_THAT(after, ElementsAre(5, 0, 24, 13, 0));
}

TEST(Stages, BeforeTheBaselineHaveNamesOfTheirOwnAndAreOfOneNetwork) {
  const auto refusal = [](const std::vector<EarlierStage>& before,
                          const std::vector<Groups::Group>& groups = {}) {
    return error_of(Fault::user, [&] { stages({.before = before}, groups); });
  };
  EXPECT_THAT(refusal({{.name = "a"}, {.name = "a"}}),
              HasSubstr("train.before has a stage 'a', which another one is called"));
  EXPECT_THAT(refusal({{.name = "baseline"}}), HasSubstr("a stage 'baseline'"));
  EXPECT_THAT(refusal({{.name = "start"}}), HasSubstr("a stage 'start'"));
  EXPECT_THAT(refusal({{.name = "a"}}, kGroups),
              HasSubstr("for one network, and there are groups"));
  std::vector<EarlierStage> many;
  for (int i = 0; i < 9; ++i) many.push_back({.name = std::to_string(i)});
  EXPECT_THAT(refusal(many), HasSubstr("has 9 stages: at most 8"));
}

TEST(Stages, ExamplesAreThoseOfTheGroupOrLabelledByIt) {
  const std::vector<std::string> classes{"cat", "dog", "ship"};
  const Groups groups(kGroups, classes);
  LabelledImages images{{1, 1, 3}, std::vector<std::uint8_t>(9), {2, 0, 1}};
  const Examples all(images, classes);
  const std::vector<Stage> table = stages({}, kGroups);
  EXPECT_EQ(examples_of(table[0], all, groups).size(), 3u);
  EXPECT_EQ(examples_of(table[1], all, groups).size(), 1u);
  EXPECT_EQ(examples_of(table[2], all, groups).size(), 2u);
  EXPECT_EQ(examples_of(table[3], all, groups).class_names(), groups.names());
  EXPECT_EQ(examples_of(table[4], all, groups).class_names(), classes);
}

/// Models have the names of their stages: checkpoints, folders and profiles are found by them.
TEST(Stages, ModelsAreNamedAsTheyAre) {
  const std::vector<std::string> classes{"cat", "dog", "ship"};
  const Groups groups(kGroups, classes);
  Dataset data{.class_names = classes};
  data.train = data.test = {{8, 8, 3}, std::vector<std::uint8_t>(3 * 192), {2, 0, 1}};
  const Lab lab({.controls = {true, true, true}}, data, groups);
  for (const Stage& stage : lab.stages()) {
    const auto model = lab.model_of(stage);
    const auto* network = std::get_if<Sequential>(&model);
    EXPECT_EQ(network != nullptr ? network->name : "mixture", stage.name);
  }
  Stage other = lab.stages()[1];
  other.group = 2;
  EXPECT_THAT(error_of(Fault::user, [&] { lab.model_of(other); }), HasSubstr("no group 2"));
  const Mixture mixture = lab.declare();
  std::vector<std::string> parts;
  for (const Sequential* part : mixture.parts()) parts.push_back(part->name);
  EXPECT_EQ(parts, names::parts(groups.names()));
}

}  // namespace
}  // namespace sluice
