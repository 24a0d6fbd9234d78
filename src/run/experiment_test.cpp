#include "sluice/lab/run_folder.h"

#include <cstring>
#include <sstream>

#include "base/files.h"
#include "run/experiment_keys.h"
#include "sluice/text.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

constexpr const char* kGroups = R"(
[[groups]]
name = "artificial"
classes = ["airplane", "automobile", "ship", "truck"]
[[groups]]
name = "natural"
classes = ["bird", "cat", "deer", "dog", "frog", "horse"]
)";

class ExperimentFile : public testing::Test {
 protected:
  Experiment read(const std::string& text, const std::vector<std::string>& overrides = {}) {
    write_file(file_, text);
    return read_experiment(file_, overrides);
  }
  /// Returns the message without the folder, which differs between runs.
  std::string refusal(const std::string& text, const std::vector<std::string>& overrides = {}) {
    std::string what = error_of(Fault::user, [&] { read(text, overrides); });
    const std::string folder = temp_.path().string() + "/";
    for (std::size_t at; (at = what.find(folder)) != std::string::npos;) {
      what.erase(at, folder.size());
    }
    return what;
  }
  std::string refused_override(const std::string& text) { return refusal(kGroups, {text}); }

  ScratchFolder temp_;
  std::filesystem::path file_ = temp_ / "lab.toml";
};

TEST_F(ExperimentFile, DefaultsAreTheLab) {
  const Experiment read_back = read(kGroups);
  EXPECT_EQ(read_back.name, "lab");
  EXPECT_EQ(read_back.data.set, "cifar-10");
  EXPECT_EQ(read_back.data.train_images, 0);
  EXPECT_EQ(read_back.lab.optimizer.learning_rate, 1e-3);
  EXPECT_EQ(read_back.lab.batch_size, 32);
  EXPECT_EQ(read_back.lab.epochs.mixture, 10);
  ASSERT_EQ(read_back.groups.size(), 2u);
  EXPECT_EQ(read_back.groups[1].name, "natural");
  EXPECT_EQ(read_back.groups[1].classes.at(5), "horse");
}

TEST_F(ExperimentFile, EveryKeyIsRead) {
  const Experiment e = read(std::string(R"(
name = "mine"
seed = 9223372036854775807
data = {set = "cifar-10", train_images = 500, test_images = 100}
model.size = "large"
[train]
optimizer = "adam"
learning_rate = 1
beta_1 = 0
beta_2 = 0.5
epsilon = 1e-3
batch_size = 4096
[train.epochs]
baseline = 1
experts = 2
gate = 3
mixture = 100000
[train.augment]
random_resized_crop = 0.08
shift = 2
mirror = "alternating"
brightness = 0.1
contrast = 1
cutout = 8
mixup = 0.2
[controls]
longer = true
wider = true
)") + kGroups);
  EXPECT_EQ(e.name, "mine");
  EXPECT_EQ(e.lab.seed, 9223372036854775807u);
  EXPECT_EQ(e.data.train_images, 500);
  EXPECT_EQ(e.data.test_images, 100);
  EXPECT_EQ(e.lab.network.size, CnnSize::large);
  EXPECT_EQ(e.lab.optimizer.learning_rate, 1);
  EXPECT_EQ(e.lab.optimizer.beta_1, 0);
  EXPECT_EQ(e.lab.optimizer.beta_2, 0.5);
  EXPECT_EQ(e.lab.optimizer.epsilon, 1e-3);
  EXPECT_EQ(e.lab.batch_size, 4096);
  EXPECT_EQ(e.lab.epochs.baseline, 1);
  EXPECT_EQ(e.lab.epochs.experts, 2);
  EXPECT_EQ(e.lab.epochs.gate, 3);
  EXPECT_EQ(e.lab.epochs.mixture, 100000);
  EXPECT_TRUE(e.lab.augment ==
              (Augmentation{0.08, 2, Augmentation::Mirror::alternating, 0.1, 1, 8, 0.2}));
  EXPECT_TRUE(e.lab.controls.longer);
  EXPECT_FALSE(e.lab.controls.average);
  EXPECT_TRUE(e.lab.controls.wider);
}

TEST_F(ExperimentFile, EveryKeyOfTheRecipeIsRead) {
  const LabOptions lab = read(std::string(R"(
[train]
optimizer = "sgd"
weight_decay = 0.1
momentum = 0.2
nesterov = true
norm_bias_learning_rate_factor = 64
global_clipnorm = 3
ema_momentum = 0.3
label_smoothing = 0.4
[train.schedule]
name = "steps"
warmup = 0.5
start_factor = 0.6
end_factor = 0.7
milestones = [0.5, 9]
gamma = 0.8
[train.lookahead]
sync_period = 5
decay = 0.9
decay_power = 2
)") + kGroups)
                             .lab;
  const OptimizerOptions& optimizer = lab.optimizer;
  EXPECT_EQ(optimizer.name, "sgd");
  EXPECT_EQ(optimizer.weight_decay, 0.1);
  EXPECT_EQ(optimizer.momentum, 0.2);
  EXPECT_TRUE(optimizer.nesterov);
  EXPECT_FALSE(optimizer.decay_biases);
  EXPECT_EQ(optimizer.norm_bias_learning_rate_factor, 64);
  EXPECT_EQ(optimizer.global_clipnorm, 3);
  EXPECT_FALSE(optimizer.use_ema);
  EXPECT_EQ(optimizer.ema_momentum, 0.3);
  EXPECT_EQ(lab.loss.label_smoothing, 0.4);
  EXPECT_EQ(optimizer.schedule.name, "steps");
  EXPECT_EQ(optimizer.schedule.warmup, 0.5);
  EXPECT_EQ(optimizer.schedule.start_factor, 0.6);
  EXPECT_EQ(optimizer.schedule.end_factor, 0.7);
  EXPECT_EQ(optimizer.schedule.milestones, (std::vector<double>{0.5, 9}));
  EXPECT_EQ(optimizer.schedule.gamma, 0.8);
  EXPECT_EQ(optimizer.lookahead.sync_period, 5);
  EXPECT_EQ(optimizer.lookahead.decay, 0.9);
  EXPECT_EQ(optimizer.lookahead.decay_power, 2);
  const OptimizerOptions other =
      read(kGroups, {"train.decay_biases=true", "train.clipnorm=2", "train.use_ema=true"})
          .lab.optimizer;
  EXPECT_TRUE(other.decay_biases);
  EXPECT_EQ(other.clipnorm, 2);
  EXPECT_TRUE(other.use_ema);
  EXPECT_EQ(read(kGroups, {"train.clipvalue=4"}).lab.optimizer.clipvalue, 4);
}

TEST_F(ExperimentFile, WhatIsWrittenIsReadBack) {
  Experiment e = read(kGroups);
  e.name = "other";
  e.data = {"folder", 12, 34};
  e.groups = {{"a-1", {"qu\"ote\\", "größe\n\x01"}}, {"b_2", {"x.y"}, {"qu\"ote\\"}}};
  e.lab.network.size = CnnSize::large;
  e.lab.optimizer = {.name = "sgd",
                     .learning_rate = 0.1 + 0.2,
                     .weight_decay = 1.0 / 7,
                     .momentum = 0.9,
                     .nesterov = true,
                     .beta_1 = 1.0 / 3,
                     .beta_2 = 1 - 1e-16,
                     .epsilon = 1e-300};
  e.lab.loss.class_weight.of = {{"x.y", 1.0 / 3}, {"qu\"ote\\", 0}};
  e.lab.optimizer.schedule = {"steps", 0.25, 0.5, 0.125, {0.5, 7, 1.0 / 3}, 0.2};
  e.lab.batch_size = 7;
  e.lab.epochs = {1, 2, 3, 4};
  e.lab.seed = 42;
  e.lab.controls.average = true;
  e.lab.augment = {1.0 / 3, 2, Augmentation::Mirror::random, 0.1 + 0.2, 0.5, 8, 0.4};
  const Experiment back = read(to_toml(e));
  EXPECT_EQ(to_toml(back), to_toml(e));
  EXPECT_EQ(back.name, e.name);
  EXPECT_EQ(back.data.set, e.data.set);
  EXPECT_EQ(back.groups[0].classes, e.groups[0].classes);
  EXPECT_EQ(back.groups[1].also, e.groups[1].also);
  EXPECT_EQ(difference(back, e), "");
  EXPECT_EQ(back.lab.optimizer.learning_rate, e.lab.optimizer.learning_rate);
  EXPECT_EQ(back.lab.optimizer.beta_1, e.lab.optimizer.beta_1);
  EXPECT_EQ(back.lab.optimizer.beta_2, e.lab.optimizer.beta_2);
  EXPECT_EQ(back.lab.optimizer.epsilon, e.lab.optimizer.epsilon);
  EXPECT_EQ(back.lab.network.size, e.lab.network.size);
  EXPECT_EQ(back.lab.epochs.gate, 3);
  EXPECT_TRUE(back.lab.controls.average);
  EXPECT_TRUE(back.lab.augment == e.lab.augment);
}

TEST_F(ExperimentFile, DifferencesHaveTheKeyAndBothValues) {
  const Experiment before = read(kGroups);
  EXPECT_EQ(difference(before, before), "");
  Experiment now = before;
  now.name = "other";
  EXPECT_EQ(difference(before, now), "");
  now.lab.batch_size = 64;
  now.lab.augment.shift = 2;
  EXPECT_EQ(difference(before, now), "train.batch_size was 32, and is 64");
  now = before;
  now.groups.pop_back();
  EXPECT_EQ(difference(now, before),
            "groups[1] was missing, and is \"natural\" [\"bird\", \"cat\", \"deer\", \"dog\", "
            "\"frog\", \"horse\"]");
  EXPECT_THAT(difference(before, now), HasSubstr("groups[1] was \"natural\" ["));
  EXPECT_THAT(difference(before, now), HasSubstr("], and is missing"));
}

TEST_F(ExperimentFile, AKeyThatAnEarlierVersionLackedHadItsDefault) {
  Experiment now = read(kGroups);
  std::string before = settings_text(now);
  const std::size_t begin = before.find("train.augment");
  before.erase(begin, before.find("controls") - begin);
  ASSERT_THAT(before, Not(HasSubstr("augment")));
  EXPECT_EQ(difference(before, settings_text(now)), "");
  EXPECT_EQ(difference(settings_text(now), before), "");
  now.lab.augment.shift = 2;
  EXPECT_EQ(difference(before, settings_text(now)), "train.augment.shift was 0, and is 2");
}

TEST_F(ExperimentFile, EveryKeyIsWritten) {
  Settings settings;
  const std::string text = to_toml(read(kGroups));
  for (const Key& key : keys_of(settings)) EXPECT_THAT(text, HasSubstr("\n" + key.name() + " = "));
}

TEST_F(ExperimentFile, GroupsOfManyClassesAreWrittenInLinesOf80Columns) {
  Groups::Group many{"many", {}};
  for (int i = 0; i < 30; ++i) many.classes.push_back("größe" + std::string(i % 7, 'x'));
  for (std::size_t i = 0; i < many.classes.size(); ++i) many.classes[i] += std::to_string(i);
  const std::string text = groups_toml({many, {"one", {std::string(90, 'a')}}});
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool one_name = line.find("aaa") != std::string::npos;
    EXPECT_TRUE(one_name || display_width(line) <= 80) << line;
  }
  const Experiment back = read("[data]\nset = \"folder\"\n" + text);
  EXPECT_EQ(back.groups[0].classes, many.classes);
}

TEST_F(ExperimentFile, NameIsTheFilesUnlessGiven) {
  Experiment unnamed = read(kGroups);
  unnamed.name.clear();
  EXPECT_EQ(read(to_toml(unnamed)).name, "lab");
  write_file(temp_ / "my lab.v2.toml", kGroups);
  EXPECT_EQ(read_experiment(temp_ / "my lab.v2.toml").name, "my-lab-v2");
}

TEST_F(ExperimentFile, UnknownKeys) {
  EXPECT_EQ(refusal("[train]\nlearning_rat = 1\n"),
            "[experiment] lab.toml:2: train.learning_rat is not a key: did you mean "
            "train.learning_rate?");
  EXPECT_EQ(refusal("learning_rate = 1\n"),
            "[experiment] lab.toml:1: learning_rate is not a key: did you mean "
            "train.learning_rate?");
  EXPECT_EQ(refusal("[trian]\nseed = 1\n"),
            "[experiment] lab.toml:1: trian is not a key: did you mean train?");
  EXPECT_EQ(refusal("[[groups]]\nname = \"a\"\nclases = []\n"),
            "[experiment] lab.toml:3: groups.clases is not a key: did you mean groups.classes?");
  EXPECT_EQ(refusal("\"a\\nb\\u001b\" = 1\n"),
            "[experiment] lab.toml:1: a?b? is not a key: see experiments/lab.toml for all there "
            "are");
  EXPECT_EQ(refusal("[data.set]\nx = 1\n"),
            "[experiment] lab.toml:1: data.set = {...}: must "
            "be \"cifar-10\" or \"cifar-100\" or \"mnist\" or \"fashion-mnist\" or \"folder\" "
            "or \"csv\"");
}

TEST_F(ExperimentFile, WrongValues) {
  const auto say = [this](const std::string& line) {
    const std::string what = refusal(line + "\n" + kGroups);
    EXPECT_EQ(what.rfind("[experiment] lab.toml:1: ", 0), 0u) << what;
    return what.substr(std::min<std::size_t>(what.size(), 25));
  };
  EXPECT_EQ(say("train.batch_size = -3"), "train.batch_size = -3: must be between 1 and 4096");
  EXPECT_EQ(say("train.batch_size = 4097"), "train.batch_size = 4097: must be between 1 and 4096");
  EXPECT_EQ(say("train.batch_size = 32.0"), "train.batch_size = 32.0: must be a whole number");
  EXPECT_EQ(say("train.batch_size = -0.0"), "train.batch_size = -0.0: must be a whole number");
  EXPECT_EQ(say("train.batch_size = 1e30"), "train.batch_size = 1e+30: must be a whole number");
  EXPECT_EQ(say("train.batch_size = 1.5"), "train.batch_size = 1.5: must be a whole number");
  EXPECT_EQ(say("train.batch_size = inf"), "train.batch_size = inf: must be a whole number");
  EXPECT_EQ(say("train.batch_size = 0xffff"),
            "train.batch_size = 65535: must be between 1 and 4096");
  EXPECT_EQ(say("train.batch_size = 2024-01-02"),
            "train.batch_size = 2024-01-02: must be a whole number");
  EXPECT_EQ(say("train.batch_size = true"), "train.batch_size = true: must be a whole number");
  EXPECT_EQ(say("data.train_images = -1"),
            "data.train_images = -1: must be between 0 and 10000000");
  EXPECT_EQ(say("data.test_images = 10000001"),
            "data.test_images = 10000001: must be between 0 and 10000000");
  EXPECT_EQ(say("data.set = \"cifar\""),
            "data.set = \"cifar\": must be \"cifar-10\" or \"cifar-100\" or \"mnist\" or "
            "\"fashion-mnist\" or \"folder\" "
            "or \"csv\"");
  EXPECT_EQ(say("model.size = 3"), "model.size = 3: must be \"small\" or \"large\"");
  EXPECT_EQ(say("train.optimizer = \"rmsprop\""),
            "train.optimizer = \"rmsprop\": must be \"adam\" or \"adamw\" or \"sgd\"");
  EXPECT_EQ(say("train.weight_decay = 2"), "train.weight_decay = 2: must be between 0 and 1");
  EXPECT_EQ(say("train.norm_bias_learning_rate_factor = 0"),
            "train.norm_bias_learning_rate_factor = 0: must be above 0 and at most 1000");
  EXPECT_EQ(say("train.label_smoothing = 1"),
            "train.label_smoothing = 1: must be at least 0 and below 1");
  EXPECT_EQ(say("train.ema_momentum = 1.5"), "train.ema_momentum = 1.5: must be between 0 and 1");
  EXPECT_EQ(say("train.lookahead.sync_period = -1"),
            "train.lookahead.sync_period = -1: must be between 0 and 100000");
  EXPECT_EQ(say("train.clipnorm = -1"), "train.clipnorm = -1: must be 0 or more");
  EXPECT_EQ(
      say("train.schedule = \"cosine\""),
      "train.schedule = \"cosine\": is a table: write [train.schedule] and its keys below it");
  EXPECT_EQ(say("train.schedule.name = \"exponential\""),
            "train.schedule.name = \"exponential\": must be \"constant\" or \"linear\" or "
            "\"cosine\" or \"one_cycle\" or \"steps\"");
  EXPECT_EQ(say("train.schedule.milestones = 0.5"),
            "train.schedule.milestones = 0.5: must be a list of numbers, like [0.5, 0.75]");
  EXPECT_EQ(say("train.schedule.milestones = [1, \"2\"]"),
            "train.schedule.milestones = [...]: each number must be a number, like 0.001");
  EXPECT_EQ(say("train.schedule.milestones = [0]"),
            "train.schedule.milestones = [...]: each number must be above 0 and at most 100000");
  EXPECT_EQ(say("train.learning_rate = 0"),
            "train.learning_rate = 0: must be above 0 and at most 10");
  EXPECT_EQ(say("train.learning_rate = nan"),
            "train.learning_rate = nan: must be above 0 and at most 10");
  EXPECT_EQ(say("train.learning_rate = inf"),
            "train.learning_rate = inf: must be above 0 and at most 10");
  EXPECT_EQ(say("train.learning_rate = \"1e-3\""),
            "train.learning_rate = \"1e-3\": must be a number, like 0.001");
  EXPECT_EQ(say("train.beta_1 = 1"), "train.beta_1 = 1: must be at least 0 and below 1");
  EXPECT_EQ(say("train.beta_2 = -0.1"), "train.beta_2 = -0.1: must be at least 0 and below 1");
  EXPECT_EQ(say("train.epsilon = 0"), "train.epsilon = 0: must be above 0 and at most 1");
  EXPECT_EQ(say("train.augment.mirror = true"),
            "train.augment.mirror = true: must be \"none\" or \"random\" or \"alternating\"");
  EXPECT_EQ(say("train.augment.shift = -1"),
            "train.augment.shift = -1: must be between 0 and 10000");
  EXPECT_EQ(say("train.augment.random_resized_crop = 0"),
            "train.augment.random_resized_crop = 0: must be above 0 and at most 1");
  EXPECT_EQ(say("train.augment.contrast = 1.5"),
            "train.augment.contrast = 1.5: must be between 0 and 1");
  EXPECT_EQ(say("controls.wider = 1"), "controls.wider = 1: must be true or false");
  EXPECT_EQ(say("controls = \"all\""), "controls = \"all\": must be true or false");
  EXPECT_EQ(say("train.epochs = 0"), "train.epochs = 0: must be between 1 and 100000");
  EXPECT_EQ(say("train.epochs.gate = 100001"),
            "train.epochs.gate = 100001: must be between 1 and 100000");
  EXPECT_EQ(say("seed = -1"), "seed = -1: must be a whole number from 0 to 2^63 - 1");
  EXPECT_EQ(say("name = \"../x\""),
            "name = \"../x\": must be of letters, digits, _ and - (at most 64)");
  EXPECT_EQ(say("train = 3"), "train = 3: is a table: write [train] and its keys below it");
}

TEST_F(ExperimentFile, DefaultsAreThoseOfTheOptimizerAndTheSchedule) {
  const auto options = [&](const std::string& text) { return read(text + kGroups).lab.optimizer; };
  EXPECT_EQ(options("train.optimizer = 'adam'\n").weight_decay, 0);
  const OptimizerOptions adamw = options("train.optimizer = 'adamw'\n");
  EXPECT_EQ(adamw.learning_rate, 0.001);
  EXPECT_EQ(adamw.weight_decay, 0.004);
  EXPECT_EQ(options("[train]\nweight_decay = 0\noptimizer = 'adamw'\n").weight_decay, 0);
  EXPECT_EQ(options("train.optimizer = 'sgd'\n").learning_rate, 0.01);
  EXPECT_EQ(read("train.learning_rate = 1e-3\n" + std::string(kGroups), {"train.optimizer=sgd"})
                .lab.optimizer.learning_rate,
            0.001);
  const Schedule cycle = options("train.schedule.name = 'one_cycle'\n").schedule;
  EXPECT_EQ(cycle.warmup, 0.3);
  EXPECT_EQ(cycle.start_factor, 0.04);
  EXPECT_EQ(cycle.end_factor, 4e-6);
  EXPECT_EQ(options("train.schedule.name = 'linear'\n").schedule.warmup, 0);
}

TEST_F(ExperimentFile, OptionsThatDoNotFitEachOtherAreRefused) {
  EXPECT_EQ(refusal("train.clipnorm = 1\ntrain.clipvalue = 1\n" + std::string(kGroups)),
            "[experiment] lab.toml: train.clipnorm, global_clipnorm and clipvalue: 2 of them are "
            "set, and at most one may be");
  EXPECT_EQ(refusal("train.schedule.warmup = 3\ntrain.epochs.gate = 3\n" + std::string(kGroups)),
            "[experiment] lab.toml: train.schedule.warmup is 3 epochs, of 3: must be shorter than "
            "each stage, or a share below 1");
  EXPECT_THAT(refusal("train.schedule.name = 'steps'\n" + std::string(kGroups)),
              HasSubstr("lab.toml: train.schedule.milestones is missing: "));
}

TEST_F(ExperimentFile, ClassWeights) {
  const auto weights = [&](const std::string& text) {
    return read("[train]\nclass_weight" + text + "\n" + kGroups).lab.loss.class_weight;
  };
  EXPECT_FALSE(weights(" = 'none'").balanced);
  EXPECT_TRUE(weights(" = 'balanced'").balanced);
  const std::map<std::string, double> table{{"cat", 2}, {"natural", 0.5}};
  EXPECT_EQ(weights(" = {cat = 2, natural = 0.5}").of, table);
  EXPECT_EQ(weights(".cat = 2\nclass_weight.natural = 0.5").of, table);
  EXPECT_EQ(read(kGroups, {"train.class_weight={cat=2,natural=0.5}"}).lab.loss.class_weight.of,
            table);
  EXPECT_TRUE(read(kGroups, {"train.class_weight=balanced"}).lab.loss.class_weight.balanced);
  EXPECT_THAT(to_toml(read(kGroups, {"train.class_weight=balanced"})),
              HasSubstr("\nclass_weight = \"balanced\"\n"));
  EXPECT_EQ(refusal("train.class_weight = {cta = 2}\n" + std::string(kGroups)),
            "[experiment] lab.toml: train.class_weight: cta is no class and no group: did you mean "
            "cat?");
  EXPECT_EQ(
      refusal("train.class_weight = {lorry = 2}\n"),
      "[experiment] lab.toml: train.class_weight: lorry is no class and no group: give one of "
      "airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck");
  EXPECT_EQ(read("", {"train.class_weight={cat=2}"}).lab.loss.class_weight.of.size(), 1)
      << "one network has classes, too";
  EXPECT_EQ(refusal("train.class_weight = {cat = -2}\n"),
            "[experiment] lab.toml:1: train.class_weight = {...}: each weight must be between 0 "
            "and 1000000");
  EXPECT_EQ(refusal("train.class_weight = 2\n"),
            "[experiment] lab.toml:1: train.class_weight = 2: must be \"none\", \"balanced\" or a "
            "table of classes, like {cat = 2.0}");
}

TEST_F(ExperimentFile, AKeyThatAnotherVersionDidNotWriteHasItsDefault) {
  const Experiment now = read(kGroups);
  std::string before = settings_text(now);
  for (const char* line : {"train.momentum = 0\n", "train.schedule.name = \"constant\"\n"}) {
    const std::size_t at = before.find(line);
    ASSERT_NE(at, std::string::npos) << line;
    before.erase(at, std::strlen(line));
  }
  EXPECT_EQ(difference(before, settings_text(now)), "");
  EXPECT_EQ(difference(settings_text(now), before), "");
  EXPECT_EQ(difference(before, settings_text(read(kGroups, {"train.momentum=0.5"}))),
            "train.momentum was 0, and is 0.5");
  EXPECT_EQ(difference(before + "train.other = 3\n", settings_text(now)),
            "train.other was 3, and is missing");
}

TEST_F(ExperimentFile, EarlyStoppingDoesNotChooseByTestImagesUnlessTold) {
  const std::string stop = "train.early_stopping.enabled = true\n";
  EXPECT_EQ(refusal(stop + kGroups),
            "[experiment] lab.toml: early stopping would choose by the test images: set "
            "train.validation_split=0.1, or train.early_stopping.on_test_images=true");
  EXPECT_TRUE(read("train.validation_split = 0.1\n" + stop + kGroups).lab.early_stopping.enabled);
  EXPECT_TRUE(read("train.early_stopping.on_test_images = true\n" + stop + kGroups)
                  .lab.stop_on_test_images);
  const Experiment by_loss =
      read("train.early_stopping.monitor = \"loss\"\ntrain.early_stopping.patience = 3\n" + stop +
           kGroups);
  EXPECT_EQ(by_loss.lab.early_stopping.patience, 3);
  EXPECT_EQ(by_loss.lab.early_stopping.monitor, "loss");
}

TEST_F(ExperimentFile, OfSeveralMistakesTheFirstIsSaid) {
  EXPECT_THAT(refusal("zeal = 1\nage = 2\n[train]\nepsilon = 0\nbatch_size = 0\n"),
              HasSubstr("lab.toml:1: zeal is not a key"));
  EXPECT_THAT(refusal("[train]\nepsilon = 0\nbatch_size = 0\n[data]\nset = 3\n"),
              HasSubstr("lab.toml:2: train.epsilon = 0"));
  EXPECT_THAT(refusal("[[groups]]\nname = \"a/b\"\nclases = []\n[data]\nset = 3\n"),
              HasSubstr("lab.toml:2: groups.name"));
}

TEST_F(ExperimentFile, WrongGroups) {
  const auto two = [](const std::string& first, const std::string& second) {
    return "[[groups]]\n" + first + "\n[[groups]]\n" + second + "\n";
  };
  const std::string artificial = "name='a'\nclasses=['airplane','automobile','ship','truck']";
  EXPECT_EQ(refusal("[[groups]]\n" + artificial),
            "[groups] lab.toml:1: groups: a mixture needs at least two groups, not 1");
  EXPECT_EQ(refusal("[groups]\n" + artificial).substr(0, 35),
            "[experiment] lab.toml:1: groups = {");
  EXPECT_THAT(refusal("[groups]\n" + artificial),
              HasSubstr("start each group with [[groups]], in double brackets"));
  EXPECT_EQ(refusal("groups = [1, 2]"),
            "[experiment] lab.toml:1: groups = 1: must be a table with a name and classes");
  EXPECT_EQ(refusal(two(artificial, "classes=['cat']")),
            "[experiment] lab.toml:4: a group has no name: add name = \"...\"");
  EXPECT_EQ(
      refusal(two(artificial, "name='a/b'")),
      "[experiment] lab.toml:5: groups.name = \"a/b\": must be of letters, digits, _ and - (at "
      "most 64)");
  EXPECT_EQ(refusal(two(artificial, "name='b'\nclasses='cat'")),
            "[experiment] lab.toml:6: groups.classes = \"cat\": must be a list of class names");
  EXPECT_EQ(refusal(two(artificial, "name='b'\nclasses=['cat', 3]")),
            "[experiment] lab.toml:6: groups.classes = 3: must be class names in quotes");
  EXPECT_THAT(refusal(two(artificial, "name='b'")),
              HasSubstr("lab.toml:1: groups: group 'b' has no class"));
  EXPECT_THAT(refusal(two(artificial, artificial)), HasSubstr("two groups are named 'a'"));
  EXPECT_THAT(refusal(two(artificial, "name='b'\nclasses=['ship']")),
              HasSubstr("class 'ship' is in 'a' and in 'b'"));
  EXPECT_THAT(refusal(two(artificial, "name='b'\nclasses=['cow']")),
              HasSubstr("group 'b' has the unknown class 'cow'"));
  EXPECT_THAT(refusal(two(artificial, "name='b'\nclasses=['cat']")),
              HasSubstr("class 'bird' is in no group"));
}

TEST_F(ExperimentFile, ImagesHaveAnySizeAndOneOrThreeChannels) {
  const Experiment plain = read("seed = 1\n");
  EXPECT_EQ(plain.data.shape(), (Shape{32, 32, 3}));
  EXPECT_EQ(plain.data.resize, Resize::stretch);
  EXPECT_TRUE(plain.data.exif_orientation);
  EXPECT_FALSE(read("data.exif_orientation = false\n").data.exif_orientation);
  const Experiment e =
      read("[data]\nimage_size = [48, 64]\nresize = \"crop\"\nchannels = 1\n", {"seed = 3"});
  EXPECT_EQ(e.data.shape(), (Shape{48, 64, 1}));
  EXPECT_EQ(e.data.resize, Resize::crop);
  EXPECT_THAT(to_toml(e), HasSubstr("image_size = [48, 64]\nresize = \"crop\"\nchannels = 1\n"));
  EXPECT_EQ(difference(read(to_toml(e)), e), "");
  EXPECT_EQ(read("data.image_size = 224\n").data.shape(), (Shape{224, 224, 3}));
  EXPECT_EQ(read_data_options({"data.image_size=[8,1024]", "data.resize=pad"}).resize, Resize::pad);
  const std::string sizes =
      ": must be whole numbers of pixels from 8 to 1024: a side, or [height, width]";
  EXPECT_EQ(refusal("data.image_size = 7\n"),
            "[experiment] lab.toml:1: data.image_size = 7" + sizes);
  for (const char* wrong : {"1025", "64.0", "'64'", "[64, 2000]", "[64, 'a']"}) {
    EXPECT_THAT(refusal(std::string("data.image_size = ") + wrong), HasSubstr(sizes)) << wrong;
  }
  EXPECT_THAT(refusal("data.image_size = [64]"), HasSubstr("must be [height, width]"));
  EXPECT_THAT(refusal("data.channels = 2"), HasSubstr("must be 3 (colour) or 1 (grey)"));
  EXPECT_THAT(refusal("data.resize = 'zoom'"),
              HasSubstr("must be \"stretch\" or \"crop\" or \"pad\""));
}

TEST_F(ExperimentFile, ViewsAreOfOneNetwork) {
  EXPECT_EQ(read("").views, Views::one);
  const std::string views = "evaluate.views = \"mirror+shift\"\n";
  const Experiment experiment = read(views);
  EXPECT_EQ(experiment.views, Views::mirror_shift);
  EXPECT_THAT(to_toml(experiment), HasSubstr("\n[evaluate]\nviews = \"mirror+shift\"\n"));
  EXPECT_THAT(error_of(Fault::user, [&] { read(views + kGroups); }),
              HasSubstr("evaluate.views = \"mirror+shift\" is for one network: leave it out"));
}

TEST_F(ExperimentFile, FastIsTheRecipe) {
  const Experiment fast = read_experiment(SLUICE_SOURCE_DIR "/experiments/fast.toml");
  EXPECT_EQ(fast.lab.network.name, "airbench");
  EXPECT_TRUE(fast.lab.drop_remainder);
  EXPECT_EQ(fast.lab.optimizer.norm_bias_learning_rate_factor, 64);
  EXPECT_EQ(fast.views, Views::mirror_shift);
}

TEST_F(ExperimentFile, WithoutGroupsIsOfOneNetwork) {
  const Experiment e = read("seed = 1\n");
  EXPECT_TRUE(e.groups.empty());
  EXPECT_TRUE(read(kGroups, {"groups=[]"}).groups.empty());
  EXPECT_EQ(to_toml(e).find("groups"), std::string::npos);
  EXPECT_THAT(refusal("[controls]\nlonger = true\n"),
              HasSubstr("[controls] controls are baselines to compare a mixture with"));
  EXPECT_EQ(std::get<Sequential>(declare(e, cifar10_class_names())).name, "baseline");
}

TEST_F(ExperimentFile, GroupsOfFolderHaveAnyClasses) {
  const std::string set = "data.set = 'folder'\n";
  const Experiment e =
      read(set + "groups = [{name='a', classes=['cow']}, {name='b', classes=['tram', 'bus']}]");
  EXPECT_EQ(e.groups[1].classes[0], "tram");
  EXPECT_THAT(refusal(set + "groups = [{name='a', classes=['cow']}, {name='b', classes=['cow']}]"),
              HasSubstr("class 'cow' is in 'a' and in 'b'"));
}

TEST_F(ExperimentFile, Overrides) {
  const Experiment e =
      read(kGroups, {"train.learning_rate=1e-4", "model.size=large", " data.set = \"cifar-10\" ",
                     "train.epochs=3", "train.epochs.gate=5", "data={train_images=20}", "seed=0x10",
                     "controls=true", "controls.longer=false"});
  EXPECT_EQ(e.lab.optimizer.learning_rate, 1e-4);
  EXPECT_EQ(e.lab.network.size, CnnSize::large);
  EXPECT_EQ(e.lab.epochs.baseline, 3);
  EXPECT_EQ(e.lab.epochs.experts, 3);
  EXPECT_EQ(e.lab.epochs.gate, 5);
  EXPECT_EQ(e.lab.epochs.mixture, 3);
  EXPECT_EQ(e.data.train_images, 20);
  EXPECT_EQ(e.lab.seed, 16u);
  EXPECT_FALSE(e.lab.controls.longer);
  EXPECT_TRUE(e.lab.controls.average);
  EXPECT_TRUE(e.lab.controls.wider);
  EXPECT_EQ(
      read("train.batch_size = 8\n" + std::string(kGroups), {"data.set=cifar-10"}).lab.batch_size,
      8);
}

TEST_F(ExperimentFile, CalibrationNeedsOneNetworkAndValidationImages) {
  EXPECT_THAT(refused_override("train.calibrate=true"),
              HasSubstr("train.calibrate is for one network, and there are groups"));
  EXPECT_THAT(refusal("train.calibrate = true"),
              HasSubstr("would choose the temperature by the test images: set "
                        "train.validation_split=0.1"));
  EXPECT_TRUE(read("train.calibrate = true\ntrain.validation_split = 0.1").lab.calibrate);
}

TEST_F(ExperimentFile, BeginsWithOtherWeightsAndFreezesLayers) {
  const Experiment e = read("[model]\nweights = \"runs/a b\"\nfreeze = [\"conv1*\", \"x\"]\n");
  EXPECT_EQ(e.weights, "runs/a b");
  EXPECT_EQ(e.lab.network.freeze, (std::vector<std::string>{"conv1*", "x"}));
  EXPECT_THAT(to_toml(e), HasSubstr("freeze = [\"conv1*\", \"x\"]\n"));
  EXPECT_THAT(refused_override("model.weights=\"runs/a\""),
              HasSubstr("model.weights is for one network, and there are groups"));
  EXPECT_THAT(refusal("model.weights = 1"), HasSubstr("must be a file or a folder"));
  for (const char* wrong : {"\"conv1\"", "[1]", "[\"conv1\", 2]"}) {
    EXPECT_THAT(refusal("model.freeze = " + std::string(wrong)),
                HasSubstr("must be a list of names, like [\"conv1\", \"block1*\"]"))
        << wrong;
  }
}

TEST_F(ExperimentFile, WrongOverrides) {
  const std::string like = ": must be a key and a value, like --set train.learning_rate=1e-4";
  EXPECT_EQ(refused_override("train.seed"), "[experiment] --set train.seed" + like);
  EXPECT_EQ(refused_override("=3"), "[experiment] --set =3" + like);
  EXPECT_EQ(refused_override("seed="), "[experiment] --set seed=" + like);
  EXPECT_EQ(refused_override("train.learning_rate=abc"),
            "[experiment] --set train.learning_rate=abc: must be a number, like 0.001");
  EXPECT_EQ(refused_override("train.batch_size=-3"),
            "[experiment] --set train.batch_size=-3: must be between 1 and 4096");
  EXPECT_EQ(refused_override("train.learning_rat=1"),
            "[experiment] --set train.learning_rat=1: train.learning_rat is not a key: did you "
            "mean train.learning_rate?");
  EXPECT_EQ(refused_override("train={batch_size=0}"),
            "[experiment] --set train={batch_size=0}: train.batch_size = 0: must be between 1 and "
            "4096");
  EXPECT_THAT(refused_override("name=\"a"), HasSubstr("--set name=\"a: not a TOML value: "));
  EXPECT_THAT(refused_override("seed=1\nname='x'"), HasSubstr("has more than one value"));
  EXPECT_THAT(refused_override("groups=[{name='a', classes=['cat']}]"),
              HasSubstr("[groups] --set groups=[{name='a', classes=['cat']}]: groups: a mixture"));
}

TEST_F(ExperimentFile, NotToml) {
  EXPECT_THAT(refusal("seed = 1\nname = \n"),
              HasSubstr("[experiment] lab.toml:2: not valid TOML: "));
  EXPECT_THAT(refusal("seed = 1\nseed = 2\n"), HasSubstr("lab.toml:2: not valid TOML: "));
  EXPECT_THAT(refusal("name = \"\xff\xfe\"\n"), HasSubstr("lab.toml:1: not valid TOML: "));
  EXPECT_THAT(refusal(std::string("\0\0\0", 3)), HasSubstr("not valid TOML: "));
  EXPECT_THAT(refusal("x = " + std::string(100'000, '[')), HasSubstr("not valid TOML: "));
}

TEST_F(ExperimentFile, HostileFiles) {
  std::string deep = "a";
  for (int i = 0; i < 200'000; ++i) deep += ".a";
  EXPECT_EQ(refusal("seed = 1\n" + deep + " = 1\n"),
            "[experiment] lab.toml:2 has more than 100 dots: break the line");
  EXPECT_THAT(refused_override("seed={" + deep + "=1}"), HasSubstr("more than 100 dots"));
  EXPECT_THAT(refusal(std::string(1'000'001, '#')),
              HasSubstr("lab.toml has 1000001 bytes, and at most 1000000 are read"));
}

}  // namespace
}  // namespace sluice
