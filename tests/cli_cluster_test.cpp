// Tests runs on several ranks, which mpirun starts on this computer.

#include <sys/stat.h>

#include <fstream>
#include <random>

#include "tests/command_line.h"
#include "tests/run_files.h"

namespace sluice::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<std::string> kShards{"--set",   "train.shards=4",     "--data",
                                       "builtin", "--checkpoint-steps", "3"};

/// The process ids of a launcher's ranks, by their number.
std::vector<pid_t> ranks_in(const fs::path& folder) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code gone;
    if (fs::read_symlink(entry.path() / "exe", gone) != fs::path(SLUICE_PROGRAM)) continue;
    if (fs::read_symlink(entry.path() / "cwd", gone) != fs::canonical(folder)) continue;
    const std::string environment = load(entry.path() / "environ");
    const std::string key = std::string("\0OMPI_COMM_WORLD_RANK=", 22);
    const std::size_t at = environment.find(key);
    if (at == std::string::npos) continue;
    const auto rank = std::stoul(environment.substr(at + key.size()));
    if (found.size() <= rank) found.resize(rank + 1);
    found[rank] = std::stoi(pid);
  }
  return found;
}

class Cluster : public CommandLine {
 protected:
  static void SetUpTestSuite() {
    home_ = new ScratchFolder();
    ASSERT_EQ(Program(home_->path(), train("whole")).wait().code, 0);
  }
  static void TearDownTestSuite() { delete home_; }

  static std::vector<std::string> train(const std::string& run) {
    std::vector<std::string> arguments = train_short({"--run", run});
    arguments.insert(arguments.end(), kShards.begin(), kShards.end());
    return arguments;
  }
  static std::vector<std::string> resume(const std::string& run) {
    return {"train", "--resume", run, "--data", "builtin", "--checkpoint-steps", "3"};
  }

  Program start(int ranks, const std::vector<std::string>& arguments) const {
    return {folder_.path(),
            arguments,
            {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"},
            {},
            {Program::Stream::kept, Program::Stream::kept},
            {"mpirun", "--oversubscribe", "-n", std::to_string(ranks)}};
  }

  /// Waits until the run has a checkpoint.
  void wait_for_checkpoint() const {
    const fs::path checkpoints = folder_ / "run/checkpoints";
    for (int i = 0; i < 12'000; ++i, pause(0.01)) {
      if (!fs::is_directory(checkpoints)) continue;
      for (const auto& entry : fs::directory_iterator(checkpoints)) {
        if (entry.path().extension() == ".safetensors") return;
      }
    }
    FAIL() << "no checkpoint";
  }

  /// Weights, histories and predictions are those of one process.
  void expect_whole(const std::string& run = "run") const {
    for (const std::string& file : files_in(*home_ / "whole")) {
      const std::string ending = fs::path(file).extension().string();
      if (ending != ".safetensors" && ending != ".csv") continue;
      EXPECT_TRUE(timeless(folder_ / run / file) == timeless(*home_ / "whole" / file)) << file;
    }
  }

  /// The lines of the program's own errors.
  static std::vector<std::string> complaints(const Ended& ended) {
    std::vector<std::string> found;
    std::istringstream lines(ended.err);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("sluice: ")) found.push_back(line);
    }
    return found;
  }
  static void expect_one_complaint(const Ended& ended, const std::string& text) {
    const std::vector<std::string> found = complaints(ended);
    ASSERT_EQ(found.size(), 1U) << ended.err;
    EXPECT_THAT(found.front(), HasSubstr(text));
    EXPECT_NE(ended.code, 0);
  }

  static ScratchFolder* home_;
};

ScratchFolder* Cluster::home_ = nullptr;

TEST_F(Cluster, GivesTheBitsOfOneProcess) {
  for (const int ranks : {2, 4}) {
    const std::string name = "r" + std::to_string(ranks);
    const Ended ended = start(ranks, train(name)).wait();
    ASSERT_EQ(ended.code, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr(std::to_string(ranks) + " ranks on "));
    expect_whole(name);
    const auto results = nlohmann::json::parse(load(folder_ / name / "results.json"));
    EXPECT_EQ(results.at("cluster").at("ranks"), ranks);
    EXPECT_GT(results.at("cluster").at("bytes_sent"), 1'000'000);
  }
}

TEST_F(Cluster, SoDoesANetworkWithRunningMeans) {
  const std::string fast = SLUICE_SOURCE_DIR "/experiments/fast.toml";
  const auto arguments = [&](const std::string& run) {
    std::vector<std::string> all{"train", fast,
                                 "--run", run,
                                 "--set", "data.set=\"cifar-10\"",
                                 "--set", "train.batch_size=64"};
    all.insert(all.end(), kShort.begin(), kShort.end());
    all.insert(all.end(), kShards.begin(), kShards.end());
    return all;
  };
  const Ended one = run(arguments("one"));
  ASSERT_EQ(one.code, 0) << one.err;
  const Ended two = start(2, arguments("two")).wait();
  ASSERT_EQ(two.code, 0) << two.err;
  for (const char* file :
       {"baseline/model.safetensors", "baseline/history.csv", "predictions.csv"}) {
    EXPECT_TRUE(timeless(folder_ / "one" / file) == timeless(folder_ / "two" / file)) << file;
  }
}

/// SLUICE_KILLS sets the number of kills.
TEST_F(Cluster, AfterKillsItGoesOnWithOtherRanksToTheSameBits) {
  const char* asked = getenv("SLUICE_KILLS");
  const int wanted = asked != nullptr ? std::atoi(asked) : 3;
  std::mt19937 random(2);
  constexpr double kLong = 100;  // seconds
  const int numbers[] = {1, 2, 4};
  int kills = 0;
  while (kills < wanted) {
    fs::remove_all(folder_ / "run");
    while (!fs::exists(folder_ / "run/report.html")) {
      const bool begun = fs::is_directory(folder_ / "run/checkpoints");
      if (!begun) fs::remove_all(folder_ / "run");
      const int ranks = numbers[random() % 3];
      Program program = start(ranks, begun ? resume("run") : train("run"));
      if (kills < wanted) {
        wait_for_checkpoint();
        pause(std::uniform_real_distribution<double>(0, 2)(random));
        const std::vector<pid_t> pids = ranks_in(folder_.path());
        if (!pids.empty()) {
          const pid_t victim = pids[random() % pids.size()];
          if (victim > 0) kill(victim, SIGKILL);
        }
      }
      const auto started = std::chrono::steady_clock::now();
      const Ended ended = program.wait_at_most(kLong);
      if (ended.code == 0) break;
      const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - started;
      EXPECT_LT(waited.count(), kLong) << "the others wait for ever";
      ++kills;
    }
    if (fs::exists(folder_ / "run/checkpoints")) run(resume("run"));  // cleans up
    expect_whole();
  }
}

TEST_F(Cluster, ARankThatHangsEndsAllWithItsName) {
  for (const std::size_t silent : {1U, 0U}) {
    fs::remove_all(folder_ / "run");
    std::vector<std::string> arguments = train("run");
    arguments.insert(arguments.end(), {"--deadline", "3"});
    Program program = start(2, arguments);
    wait_for_checkpoint();
    const std::vector<pid_t> pids = ranks_in(folder_.path());
    ASSERT_EQ(pids.size(), 2U);
    kill(pids[silent], SIGSTOP);
    const Ended ended = program.wait_at_most(30);
    EXPECT_NE(ended.code, 128 + SIGKILL) << "waits for ever";
    expect_one_complaint(ended, "[cluster] rank " + std::to_string(silent) + " on host ");
    EXPECT_THAT(ended.err, HasSubstr("has not answered for 3 s"));
    const Ended resumed = start(2, resume("run")).wait();
    ASSERT_EQ(resumed.code, 0) << resumed.err;
    expect_whole();
  }
}

TEST_F(Cluster, CtrlCSavesTheRun) {
  Program program = start(2, train("run"));
  wait_for_checkpoint();
  program.signal(SIGINT);
  const Ended stopped = program.wait_at_most(30);
  EXPECT_NE(stopped.code, 0);
  const Ended resumed = run(resume("run"));
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  expect_whole();
}

TEST_F(Cluster, TellsAMistakeOnce) {
  expect_one_complaint(start(3, {"train", "none.toml"}).wait(), "none.toml");
  expect_one_complaint(start(2, {"train", kLab, "--sett", "a=1"}).wait(), "--sett");
  expect_one_complaint(start(2, {"evaluate", "run"}).wait(),
                       "only `sluice train` and `sluice frontier` use several ranks");
  std::vector<std::string> too_fast = train("fast");
  too_fast.insert(too_fast.end(), {"--set", "train.learning_rate=10"});
  const Ended diverged = start(2, too_fast).wait();
  if (diverged.code != 0) expect_one_complaint(diverged, "not finite");
}

/// Without shards the parts of the lab are trained beside each other, each as one process trains
/// it.
class SideBySide : public Cluster {
 protected:
  static void SetUpTestSuite() {
    home_ = new ScratchFolder();
    ASSERT_EQ(Program(home_->path(), train("whole"), {"OMP_NUM_THREADS=1"}).wait().code, 0);
  }

  static std::vector<std::string> train(const std::string& run) {
    return train_short({"--run", run, "--data", "builtin", "--checkpoint-steps", "3"});
  }
  Program start(int ranks, const std::vector<std::string>& arguments) const {
    setenv("OMP_NUM_THREADS", "1", 1);
    return Cluster::start(ranks, arguments);
  }
};

TEST_F(SideBySide, GivesTheBitsOfOneProcess) {
  for (const int ranks : {2, 3}) {
    const std::string name = "r" + std::to_string(ranks);
    const Ended ended = start(ranks, train(name)).wait();
    ASSERT_EQ(ended.code, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr(std::to_string(ranks) + " ranks on "));
    EXPECT_THAT(ended.out, HasSubstr(" train networks beside each other"));
    expect_whole(name);
  }
}

TEST_F(SideBySide, AfterCtrlCOrAHangItGoesOn) {
  std::vector<std::string> arguments = train("run");
  arguments.insert(arguments.end(), {"--deadline", "3"});
  Program first = start(2, arguments);
  wait_for_checkpoint();
  first.signal(SIGINT);
  EXPECT_NE(first.wait_at_most(30).code, 0);
  ASSERT_TRUE(fs::exists(folder_ / "run/checkpoints"));
  arguments = resume("run");
  arguments.insert(arguments.end(), {"--deadline", "3"});
  Program second = start(2, arguments);
  pause(1);
  const std::vector<pid_t> pids = ranks_in(folder_.path());
  ASSERT_EQ(pids.size(), 2U);
  kill(pids[1], SIGSTOP);
  const Ended hung = second.wait_at_most(60);
  if (hung.code != 0) {
    expect_one_complaint(hung, "[cluster] rank 1 on host ");
    const Ended resumed = start(1, resume("run")).wait();
    ASSERT_EQ(resumed.code, 0) << resumed.err;
  }
  expect_whole();
}

TEST_F(SideBySide, RefusesParallelTrainingsInARank) {
  std::vector<std::string> arguments = train("run");
  arguments.insert(arguments.end(), {"--parallel", "1"});
  EXPECT_EQ(start(2, arguments).wait().code, 0);
  fs::remove_all(folder_ / "run");
  arguments.back() = "2";
  unsetenv("OMP_NUM_THREADS");
  const Ended ended =
      Program(folder_.path(), arguments,
              {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "OMP_NUM_THREADS=2"},
              {}, {Program::Stream::kept, Program::Stream::kept},
              {"mpirun", "--oversubscribe", "-n", "2"})
          .wait();
  expect_one_complaint(ended, "--parallel 2 under mpirun: start as many ranks in its place");
}

TEST_F(Cluster, UsesAPowerOfTwoOfTheRanks) {
  std::vector<std::string> arguments = train("run");
  const Ended ended = start(3, arguments).wait();
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("2 ranks on "));
  EXPECT_THAT(ended.out, HasSubstr("idle: 1"));
  expect_whole();
}

}  // namespace
}  // namespace sluice::testing
