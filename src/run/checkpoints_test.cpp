#include "run/checkpoints.h"

#include <gmock/gmock.h>

#include "base/files.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// State of a fit with its memory; every value is `mark`.
struct Fit {
  explicit Fit(float mark, int epoch = 1, int step = 0)
      : weights(6, mark), moments(4, mark / 3), state{.epoch = epoch, .step = step} {
    state.loss = mark / 7;
    state.right = mark;
    state.seconds = 0.1;
    state.history.epochs.assign(epoch - 1, {mark / 3, 0.1, 1e-300, 1. / 3, 2});
    state.history.seconds = 5.5;
    state.history.cpu_seconds = 10.25;
    state.history.images = 1LL << 40;
    state.stopping = {mark / 9, 1, 2};
    state.blocks = {{"weights/0", weights}, {"mean/0", moments}};
  }
  Fit(const Fit&) = delete;

  std::vector<float> weights;
  std::vector<float> moments;
  FitState state;
};

class CheckpointsTest : public testing::Test {
 protected:
  /// Returns the mark that a new fit finds, or 0 for none.
  float found(Checkpoints& checkpoints, const std::string& stage = "baseline") {
    Fit fresh(0);
    said_.clear();
    const bool read = checkpoints.read(stage, fresh.state,
                                       [&](const std::string& line) { said_.push_back(line); });
    EXPECT_EQ(read, fresh.weights[0] != 0);
    EXPECT_EQ(fresh.moments[3], fresh.state.finished ? 0 : fresh.weights[0] / 3);
    return fresh.weights[5];
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const fs::path& path : list_folder(place_, "test")) names.push_back(path.filename());
    return names;
  }
  void change(const std::string& name, std::size_t at) {
    std::string bytes = load(place_ / name);
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    save(place_ / name, bytes);
  }

  ScratchFolder temp_;
  fs::path place_ = temp_ / "checkpoints";
  Checkpoints::Setting setting_{"seed = 0\n", "data", [] { return "2 threads"; }};
  std::vector<std::string> said_;
};

TEST_F(CheckpointsTest, GiveBackEveryBit) {
  Checkpoints checkpoints(place_, setting_);
  const Fit kept(0.7f, 3, 2);
  checkpoints.write("gate", kept.state);
  Fit fresh(0);
  ASSERT_TRUE(checkpoints.read("gate", fresh.state, [](const std::string&) { FAIL(); }));
  EXPECT_EQ(fresh.weights, kept.weights);
  EXPECT_EQ(fresh.moments, kept.moments);
  const FitState& state = fresh.state;
  EXPECT_EQ(state.epoch, 3);
  EXPECT_EQ(state.step, 2);
  EXPECT_EQ(state.finished, false);
  EXPECT_EQ(state.loss, kept.state.loss);
  EXPECT_EQ(state.right, kept.state.right);
  EXPECT_EQ(state.seconds, kept.state.seconds);
  ASSERT_EQ(state.history.epochs.size(), 2u);
  EXPECT_EQ(state.history.epochs[1].loss, kept.state.history.epochs[1].loss);
  EXPECT_EQ(state.history.epochs[1].val_loss, 1e-300);
  EXPECT_EQ(state.history.epochs[1].seconds, 2);
  EXPECT_EQ(state.history.seconds, 5.5);
  EXPECT_EQ(state.history.cpu_seconds, 10.25);
  EXPECT_EQ(state.history.images, 1LL << 40);
  EXPECT_EQ(state.stopping.best, kept.state.stopping.best);
  EXPECT_EQ(state.stopping.best_epoch, 1);
  EXPECT_EQ(state.stopping.wait, 2);
}

TEST_F(CheckpointsTest, OfEachStageTheLastTwoAreKept) {
  Checkpoints checkpoints(place_, setting_);
  EXPECT_EQ(found(checkpoints), 0);
  checkpoints.write("gate", Fit(1).state);
  for (int step = 8; step <= 11; ++step) {
    checkpoints.write("baseline", Fit(static_cast<float>(step), 1, step).state);
  }
  checkpoints.write("baseline", Fit(12, 2).state);
  EXPECT_THAT(files(), ElementsAre("baseline.00001-0000011.safetensors",
                                   "baseline.00002-0000000.safetensors",
                                   "gate.00001-0000000.safetensors", "lock"));
  EXPECT_EQ(found(checkpoints), 12);
  EXPECT_EQ(found(checkpoints, "gate"), 1);
  EXPECT_EQ(found(checkpoints, "expert-gate"), 0);
}

TEST_F(CheckpointsTest, ADamagedOneIsPassedOverWithAWord) {
  Checkpoints checkpoints(place_, setting_);
  checkpoints.write("baseline", Fit(1, 1, 1).state);
  checkpoints.write("baseline", Fit(2, 1, 2).state);
  const std::string newest = "baseline.00001-0000002.safetensors";
  const std::string whole = load(place_ / newest);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    change(newest, at);
    ASSERT_EQ(found(checkpoints), 1) << at;
    ASSERT_EQ(said_.size(), 1u);
    EXPECT_THAT(said_[0], HasSubstr("ignored "));
    EXPECT_THAT(said_[0], HasSubstr(newest));
    save(place_ / newest, whole);
  }
  save(place_ / newest, whole.substr(0, whole.size() - 1));
  EXPECT_EQ(found(checkpoints), 1);
  save(place_ / "baseline.00001-0000001.safetensors", "");
  EXPECT_EQ(found(checkpoints), 0);
  EXPECT_EQ(said_.size(), 2u);
}

TEST_F(CheckpointsTest, OneOfAnotherModelIsPassedOver) {
  Checkpoints checkpoints(place_, setting_);
  Fit other(1);
  other.state.blocks[0].values = other.state.blocks[0].values.first(5);
  checkpoints.write("baseline", other.state);
  EXPECT_EQ(found(checkpoints), 0);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("has no weights/0 of 6 values")));
}

TEST_F(CheckpointsTest, AStateThatLiesIsPassedOver) {
  Checkpoints checkpoints(place_, setting_);
  Fit far(1);
  far.state.epoch = -3;
  checkpoints.write("baseline", far.state);
  EXPECT_EQ(found(checkpoints), 0);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("epoch -3")));
}

TEST_F(CheckpointsTest, OtherDataIsRefusedAndAnotherMachineIsTold) {
  {
    Checkpoints checkpoints(place_, setting_);
    checkpoints.write("baseline", Fit(1, 1, 1).state);
    Fit finished(2);
    finished.state.finished = true;
    checkpoints.write("gate", finished.state);
  }
  {
    Checkpoints there(place_, {"seed = 0\n", "data", [] { return "16 threads"; }});
    EXPECT_EQ(found(there), 1);
    EXPECT_THAT(said_, ElementsAre("begun with 2 threads, resumed with 16 threads: rounding "
                                   "differs"));
    EXPECT_THAT(there.machines("baseline"), ElementsAre("2 threads"));
    there.write("baseline", Fit(3, 1, 2).state);
    EXPECT_THAT(there.machines("baseline"), ElementsAre("2 threads", "16 threads"));
    EXPECT_EQ(found(there, "gate"), 2);
    EXPECT_THAT(said_, ElementsAre("trained with 2 threads, the rest is trained with 16 threads: "
                                   "rounding differs"));
    EXPECT_THAT(there.machines("gate"), ElementsAre("2 threads"));
  }
  {
    Checkpoints back(place_, setting_);
    EXPECT_EQ(found(back), 3);
    EXPECT_THAT(back.machines("baseline"), ElementsAre("2 threads", "16 threads"));
  }
  Checkpoints other(place_, {"seed = 0\n", "other data", setting_.machine});
  EXPECT_EQ(error_of(Fault::user, [&] { found(other); }),
            "[checkpoint] " + temp_.path().string() +
                " was trained on other images: give the same --data");
}

TEST_F(CheckpointsTest, AnotherExperimentIsRefusedWithItsKeyInEveryStage) {
  {
    Checkpoints checkpoints(place_, setting_);
    checkpoints.write("baseline", Fit(1, 1, 1).state);
    Fit finished(2);
    finished.state.finished = true;
    checkpoints.write("gate", finished.state);
  }
  Checkpoints other(place_, {"seed = 7\n", "data", setting_.machine});
  for (const std::string stage : {"baseline", "gate"}) {
    EXPECT_EQ(
        error_of(Fault::user, [&] { found(other, stage); }),
        "[checkpoint] " + temp_.path().string() +
            " cannot be resumed with another experiment: seed was 0, and is 7: change it back, or "
            "train a new run");
  }
}

TEST_F(CheckpointsTest, OfAFinishedStageTheWeightsAreKeptAlone) {
  Checkpoints checkpoints(place_, setting_);
  checkpoints.write("gate", Fit(1, 1, 1).state);
  Fit finished(2, 2);
  finished.state.finished = true;
  checkpoints.write("gate", finished.state);
  EXPECT_THAT(files(), ElementsAre("gate.00002-0000000.safetensors", "lock"));
  EXPECT_THAT(load(place_ / files()[0]), testing::Not(HasSubstr("mean/0")));
  Fit fresh(0);
  ASSERT_TRUE(checkpoints.read("gate", fresh.state, [](const std::string&) { FAIL(); }));
  EXPECT_TRUE(fresh.state.finished);
  EXPECT_EQ(fresh.weights, finished.weights);
}

TEST_F(CheckpointsTest, OfAStageThatAnotherGoesOnFromTheOptimizersStateIsKept) {
  Checkpoints checkpoints(place_, setting_);
  Fit last(2, 4);
  last.state.finished = last.state.goes_on = true;
  checkpoints.write("dense", last.state);
  Fit fresh(0);
  fresh.state.goes_on = true;
  ASSERT_TRUE(checkpoints.read("dense", fresh.state, [](const std::string&) { FAIL(); }));
  EXPECT_TRUE(fresh.state.finished);
  EXPECT_EQ(fresh.weights, last.weights);
  EXPECT_EQ(fresh.moments, last.moments);
}

TEST_F(CheckpointsTest, OneProgramAtATimeHasThem) {
  {
    Checkpoints first(place_, setting_);
    EXPECT_EQ(error_of(Fault::user, [&] { Checkpoints second(place_, setting_); }),
              "[checkpoint] " + temp_.path().string() +
                  " is being trained by another program: wait for it, or stop it");
  }
  Checkpoints third(place_, setting_);
  third.remove();
  EXPECT_FALSE(is_folder(place_));
}

TEST_F(CheckpointsTest, TellWhichDataItIs) {
  Dataset data{"a", "b", {"x"}, {{1, 1, 3}, {1, 2, 3}, {0}}, {{1, 1, 3}, {4, 5, 6}, {0}}};
  Experiment experiment;
  const auto sum = [&] { return Checkpoints::setting(experiment, record_of(data, "folder")).data; };
  const std::string before = sum();
  data.name = "c";
  EXPECT_EQ(sum(), before);
  data.train.pixels[1] = 9;
  EXPECT_NE(sum(), before);
  data.train.pixels[1] = 2;
  data.test.pixels[1] = 9;
  EXPECT_NE(sum(), before);
  data.test.pixels[1] = 5;
  data.test.labels[0] = 1;
  EXPECT_NE(sum(), before);
}

TEST_F(CheckpointsTest, TellWhatChangesTheRounding) {
  const Dataset data{"a", "b", {"x"}, {{1, 1, 3}, {1, 2, 3}, {0}}, {{1, 1, 3}, {4, 5, 6}, {0}}};
  Experiment experiment;
  const auto machine = [&] {
    return Checkpoints::setting(experiment, record_of(data, "folder")).machine();
  };
  experiment.lab.compute = Compute::exact;
  const std::string exact = machine();
  EXPECT_THAT(exact, HasSubstr("exact convolutions, oneDNN "));
  experiment.lab.compute = Compute::fast;
  EXPECT_NE(machine(), exact);
}

}  // namespace
}  // namespace sluice
