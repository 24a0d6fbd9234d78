#include "sluice/lab/run_folder.h"

#include "base/files.h"
#include "run/experiment_keys.h"
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
  EXPECT_EQ(read_back.lab.adam.learning_rate, 1e-3);
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
  EXPECT_EQ(e.lab.size, CnnSize::large);
  EXPECT_EQ(e.lab.adam.learning_rate, 1);
  EXPECT_EQ(e.lab.adam.beta_1, 0);
  EXPECT_EQ(e.lab.adam.beta_2, 0.5);
  EXPECT_EQ(e.lab.adam.epsilon, 1e-3);
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

TEST_F(ExperimentFile, WhatIsWrittenIsReadBack) {
  Experiment e = read(kGroups);
  e.name = "other";
  e.data = {"folder", 12, 34};
  e.groups = {{"a-1", {"qu\"ote\\", "größe\n\x01"}}, {"b_2", {"x.y"}}};
  e.lab.size = CnnSize::large;
  e.lab.adam = {0.1 + 0.2, 1.0 / 3, 1 - 1e-16, 1e-300};
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
  EXPECT_EQ(back.lab.adam.learning_rate, e.lab.adam.learning_rate);
  EXPECT_EQ(back.lab.adam.beta_1, e.lab.adam.beta_1);
  EXPECT_EQ(back.lab.adam.beta_2, e.lab.adam.beta_2);
  EXPECT_EQ(back.lab.adam.epsilon, e.lab.adam.epsilon);
  EXPECT_EQ(back.lab.size, e.lab.size);
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
            "be \"cifar-10\" or \"folder\"");
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
            "data.set = \"cifar\": must be \"cifar-10\" or \"folder\"");
  EXPECT_EQ(say("model.size = 3"), "model.size = 3: must be \"small\" or \"large\"");
  EXPECT_EQ(say("train.optimizer = \"sgd\""), "train.optimizer = \"sgd\": must be \"adam\"");
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
  EXPECT_EQ(refusal("seed = 1\n"),
            "[experiment] lab.toml: groups is missing: declare two or more, each with [[groups]], "
            "a name and its classes");
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
  EXPECT_EQ(e.lab.adam.learning_rate, 1e-4);
  EXPECT_EQ(e.lab.size, CnnSize::large);
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
