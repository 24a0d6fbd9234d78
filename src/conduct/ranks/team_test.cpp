#include "conduct/ranks/team.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/ranks_testing.h"
#include "conduct/ranks/service.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

class TeamTest : public testing::Test {
 protected:
  TeamTest() {
    experiment_.lab.shards = 2;
    experiment_.lab.network.width = 0.25;
    experiment_.lab.epochs = {1, 1, 1, 1};
    experiment_.data.train_images = 40;
    experiment_.data.test_images = 20;
    experiment_.groups = {{"natural", {"bird", "cat", "deer", "dog", "frog", "horse"}},
                          {"artificial", {"airplane", "automobile", "ship", "truck"}}};
    data_ = load_data(experiment_.data, DataPlace("builtin"), {});
  }

  /// Trains the baseline on two ranks, together or on the second alone, and returns what each has
  /// thrown.
  std::vector<std::string> train(std::vector<float>& values) {
    const DataRecord record = record_of(data_, experiment_.data.set);
    return ThreadRanks::messages_of(2, [&](Ranks& ranks) {
      if (ranks.rank() == 1) return serve(ranks);
      Team team(ranks, experiment_, data_, record);
      const Stage stage = stage_;
      FitObserver none;
      const TrainedModel trained =
          team.trains_jointly() ? team.train_jointly(experiment_, stage, none)
                                : team.train_on(1, experiment_, stage, none, [] { return false; });
      values.assign(trained.weights.values().begin(), trained.weights.values().end());
      end_service(ranks);
    });
  }

  Experiment experiment_;
  Stage stage_{StageKind::baseline, -1, "baseline", "all classes", 1, 1};
  Dataset data_;
};

TEST_F(TeamTest, ARankWithoutTheImagesGetsThem) {
  std::vector<float> found;
  EXPECT_THAT(train(found), testing::Each(""));
  std::vector<float> sent;
  data_.place = "/no/such/folder";
  EXPECT_THAT(train(sent), testing::Each(""));
  EXPECT_FALSE(found.empty());
  EXPECT_TRUE(sent == found);
}

TEST_F(TeamTest, ARankWithOtherImagesIsNamed) {
  data_.train.pixels[5] ^= 1;
  std::vector<float> none;
  const auto messages = train(none);
  EXPECT_THAT(messages[0], HasSubstr("rank 1 on host b has other images in builtin than rank 0"));
  EXPECT_THAT(messages[1], HasSubstr("rank 0 on host a: rank 1 on host b has other images"));
}

TEST_F(TeamTest, RanksTrainStagesTogetherAndNotBesideEachOther) {
  experiment_.groups.clear();
  experiment_.lab.before = {{.name = "first", .epochs = 1}};
  stage_ = stages(experiment_.lab, {}).front();
  std::vector<float> values;
  EXPECT_THAT(train(values), testing::Each(""));
  const Groups groups({}, data_.class_names, "test");
  FitObserver none;
  const TrainedModel here = Lab(experiment_.lab, data_, groups).train(stage_, none);
  EXPECT_TRUE(std::ranges::equal(here.weights.values(), values));
  experiment_.lab.shards = 1;
  EXPECT_THAT(train(values)[0], HasSubstr("train.before: the other ranks do not have the weights"));
}

TEST_F(TeamTest, ARankTrainsAloneAsThisOneWould) {
  experiment_.lab.shards = 1;
  experiment_.lab.controls.average = true;
  const auto expect_the_same = [&] {
    std::vector<float> values;
    EXPECT_THAT(train(values), testing::Each(""));
    const Groups groups(experiment_.groups, data_.class_names, "test");
    LabOptions options = experiment_.lab;
    options.controls = {};
    FitObserver none;
    const TrainedModel here = Lab(options, data_, groups).train(stage_, none);
    EXPECT_TRUE(std::ranges::equal(here.weights.values(), values));
  };
  expect_the_same();
  // A control is trained beside the baseline by whose errors groups will be found.
  stage_ = {StageKind::second_baseline, -1, "control-second", "another", 4, 1, "average", "words"};
  experiment_.groups.clear();
  experiment_.finds_groups = true;
  expect_the_same();
}

}  // namespace
}  // namespace sluice
