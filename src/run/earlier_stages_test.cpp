// Tests of train.before, the stages before the one that [train] describes, in experiment files.

#include "base/files.h"
#include "sluice/lab/run_folder.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

constexpr const char* kStages = R"(
[train]
epochs = 9
[[train.before]]
name = "dense"
epochs = 3
experts = false
[[train.before]]
name = "head"
epochs = 2
freeze = ["conv*"]
learning_rate = 0.25
keep_optimizer = false
)";

constexpr const char* kExperts = R"(
[[model.layers]]
class_name = "GlobalAveragePooling2D"
name = "means"
[[model.layers]]
class_name = "Dense"
name = "gate"
units = 2
[[model.layers]]
class_name = "MixtureOfExperts"
name = "experts"
inputs = ["means", "gate"]
experts = 2
top_k = 1
[[model.layers.expert]]
class_name = "Dense"
name = "dense"
units = 4
)";

class EarlierStageKeys : public testing::Test {
 protected:
  Experiment read(const std::string& text, const std::vector<std::string>& overrides = {}) {
    write_file(file_, text);
    return read_experiment(file_, overrides);
  }
  std::string refusal(const std::string& text, const std::vector<std::string>& overrides = {}) {
    return error_of(Fault::user, [&] { read(text, overrides); });
  }

  ScratchFolder temp_;
  std::filesystem::path file_ = temp_ / "plan.toml";
};

TEST_F(EarlierStageKeys, AreReadAndWritten) {
  const Experiment plan = read(std::string(kStages) + kExperts);
  ASSERT_EQ(plan.lab.before.size(), 2u);
  const EarlierStage& dense = plan.lab.before[0];
  EXPECT_EQ(dense.name, "dense");
  EXPECT_EQ(dense.epochs, 3);
  EXPECT_FALSE(dense.experts);
  EXPECT_TRUE(dense.keep_optimizer);
  EXPECT_EQ(dense.learning_rate, 0);
  const EarlierStage& head = plan.lab.before[1];
  EXPECT_TRUE(head.experts);
  EXPECT_FALSE(head.keep_optimizer);
  EXPECT_EQ(head.learning_rate, 0.25);
  EXPECT_THAT(head.freeze, ElementsAre("conv*"));
  EXPECT_EQ(plan.lab.epochs.baseline, 9);

  const Experiment back = read(to_toml(plan));
  EXPECT_EQ(difference(plan, back), "");
  EXPECT_EQ(to_toml(back), to_toml(plan));
  EXPECT_THAT(difference(plan, read(kExperts, {"train.epochs=9"})), EndsWith("and is missing"));
  const Experiment other = read(std::string(kStages) + kExperts, {"train.before=[]"});
  EXPECT_THAT(other.lab.before, testing::IsEmpty());
}

TEST_F(EarlierStageKeys, MistakesAreToldWithTheirLine) {
  const auto stage = [](const std::string& keys) { return "[[train.before]]\n" + keys; };
  EXPECT_THAT(refusal(stage("name = 'a'\nepoch = 3")),
              HasSubstr("plan.toml:3: train.before.epoch is not a key: did you mean "
                        "train.before.epochs?"));
  EXPECT_THAT(refusal(stage("name = 'a'\nepochs = 0")),
              HasSubstr("plan.toml:3: train.before.epochs = 0: must be"));
  EXPECT_THAT(refusal(stage("epochs = 3")),
              HasSubstr("plan.toml:1: a stage of train.before has no name: add name = "));
  EXPECT_THAT(refusal(stage("name = 'a'")),
              HasSubstr("plan.toml:1: a stage of train.before has no epochs: add epochs = "));
  EXPECT_THAT(refusal("[train.before]\nname = 'a'"),
              HasSubstr("must be a list: start each stage with [[train.before]]"));
  EXPECT_THAT(refusal(stage("name = 'a'\nepochs = 3\nlearning_rate = 11")),
              HasSubstr("plan.toml:4: train.before.learning_rate = 11"));
  EXPECT_THAT(refusal(stage("name = 'a'\nepochs = 3\nexperts = false")),
              HasSubstr("experts = false for 'a', and the network has no layer of experts"));
  EXPECT_THAT(refusal(stage("name = 'figures'\nepochs = 3")),
              HasSubstr("a stage 'figures', as a folder of a run is called"));
  EXPECT_THAT(refusal("groups = 'auto'\n" + stage("name = 'a'\nepochs = 3")),
              HasSubstr("train.before is for one network, and there are groups"));
  EXPECT_THAT(refusal(stage("name = 'a'\nepochs = 3\n") + stage("name = 'a'\nepochs = 3")),
              HasSubstr("a stage 'a', which another one is called"));
}

TEST_F(EarlierStageKeys, AWarmUpMayBeAsLongAsTheStagesThatShareTheOptimizer) {
  const std::string rate = "[train.schedule]\nname = 'linear'\nwarmup = 4\n";
  const auto text = [&](const std::string& keep) {
    return "train.epochs = 3\n[[train.before]]\nname = 'a'\nepochs = 5\n" + keep + "\n" + rate;
  };
  EXPECT_EQ(read(text("")).lab.epochs.baseline, 3);
  EXPECT_THAT(refusal(text("keep_optimizer = false")), HasSubstr("schedule.warmup"));
}

}  // namespace
}  // namespace sluice
