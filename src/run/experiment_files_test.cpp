#include <fmt/format.h>

#include "base/files.h"
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

TEST(ShippedExperiments, CascadeSaysWhatItsNetworksCost) {
  const std::string text = read_file(shipped("cascade"), 100'000);
  Experiment cascade = read_experiment(shipped("cascade"));
  const auto mega = [&] {
    return fmt::format("{:.1f}",
                       count_flops(network("network", {32, 32, 3}, 10, cascade.lab.network)) / 1e6);
  };
  const std::string mixture = mega();
  cascade.lab.network = dense_network(cascade.lab.network);
  std::vector<std::string> dense;
  for (const double width : cascade.frontier.widths) {
    cascade.lab.network.width = width;
    dense.push_back(mega());
  }
  EXPECT_THAT(text,
              HasSubstr(fmt::format("wider: {}, {}, {} and {} MFLOP an image to the cascade's {}.",
                                    dense[0], dense[1], dense[2], dense[3], mixture)));
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
