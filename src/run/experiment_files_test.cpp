#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/files.h"
#include "base/text.h"
#include "run/experiment_keys.h"
#include "sluice/lab/run_folder.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

std::string shipped(const std::string& name) {
  return fmt::format("{}/experiments/{}.toml", SLUICE_SOURCE_DIR, name);
}

TEST(ExperimentFiles, ThatAreNotThere) {
  const ScratchFolder temp;
  const CurrentFolder current(temp.path());
  const auto say = [](const char* file) {
    return error_of(Fault::user, [&] { read_experiment(file); });
  };
  EXPECT_EQ(say("lab"), "[experiment] lab does not exist: is the path right?");
  std::filesystem::create_directory("experiments");
  write_file("experiments/lab.toml", "seed = 1");
  EXPECT_EQ(say("lab"), "[experiment] lab does not exist: did you mean experiments/lab.toml?");
  EXPECT_EQ(say("lab.toml"),
            "[experiment] lab.toml does not exist: did you mean experiments/lab.toml?");
  EXPECT_EQ(say("x/lab.toml"),
            "[experiment] x/lab.toml does not exist: did you mean experiments/lab.toml?");
  EXPECT_EQ(say("experiments"),
            "[experiment] experiments is a folder: give an experiment's TOML file");
}

TEST(ShippedExperiments, AreTheLab) {
  const Experiment lab = read_experiment(shipped("lab"));
  EXPECT_EQ(lab.name, "lab");
  EXPECT_EQ(lab.data.train_images, 5000);
  EXPECT_EQ(lab.data.test_images, 1000);
  const Experiment handout = read_experiment(shipped("handout"));
  EXPECT_EQ(handout.lab.optimizer.learning_rate, 1e-5);
  const Experiment full = read_experiment(shipped("full"));
  EXPECT_EQ(full.data.train_images, 0);
  EXPECT_EQ(full.data.test_images, 0);

  // Each file differs from lab.toml only as its comment says.
  Experiment same = handout;
  same.name = "lab";
  same.lab.optimizer.learning_rate = 1e-3;
  EXPECT_EQ(to_toml(same), to_toml(lab));
  same = full;
  same.name = "lab";
  same.data = lab.data;
  EXPECT_EQ(to_toml(same), to_toml(lab));
  same = read_experiment(shipped("one-network"));
  EXPECT_TRUE(same.groups.empty());
  same.name = "lab";
  same.data = lab.data;
  same.groups = lab.groups;
  EXPECT_EQ(to_toml(same), to_toml(lab));
}

/// MFLOP of an experiment's mixture and of the dense networks of its frontier: "6.7 4.3, 5.3".
std::string costs_of(const std::string& name) {
  Experiment experiment = read_experiment(shipped(name));
  const auto mega = [&] {
    return mega_text(count_flops(network("network", {32, 32, 3}, 10, experiment.lab.network)));
  };
  const std::string mixture = mega();
  experiment.lab.network = dense_network(experiment.lab.network);
  std::vector<std::string> dense;
  for (const double width : experiment.frontier.widths) {
    experiment.lab.network.width = width;
    dense.push_back(mega());
  }
  return fmt::format("{}: {}", mixture, fmt::join(dense, ", "));
}

TEST(ShippedExperiments, SayWhatTheirNetworksCost) {
  for (const char* name : {"cascade", "pays"}) {
    EXPECT_THAT(read_file(shipped(name), 100'000), HasSubstr("MFLOP: " + costs_of(name) + "."));
  }
}

TEST(ShippedExperiments, LabNamesEveryKeyWithItsDefault) {
  Experiment bare = read_experiment(shipped("lab"));
  bare.lab = {};
  EXPECT_EQ(to_toml(bare), to_toml(read_experiment(shipped("lab"))));
  Settings settings;
  const std::string text = read_file(shipped("lab"), 100'000);
  for (const Key& key : keys_of(settings)) EXPECT_THAT(text, HasSubstr("\n" + key.name() + " = "));
}

}  // namespace
}  // namespace sluice
