// Tests that runs resume after they are stopped, killed or meet a full disk.

#include <algorithm>
#include <random>

#include "tests/command_line.h"
#include "tests/run_files.h"

namespace sluice::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> train_as(const std::string& run) {
  return train_short({"--data", "builtin", "--run", run, "--checkpoint-steps", "3"});
}
std::vector<std::string> resume(const std::string& run) {
  return {"train", "--resume", run, "--data", "builtin", "--checkpoint-steps", "3"};
}

class Resume : public CommandLine {
 protected:
  static void SetUpTestSuite() {
    home_ = new ScratchFolder();
    ASSERT_EQ(Program(home_->path(), train_as("whole")).wait().code, 0);
  }
  static void TearDownTestSuite() { delete home_; }

  Program start(const std::vector<std::string>& arguments,
                std::optional<Program::Limit> limit = {}) {
    return {folder_.path(), arguments, {}, limit};
  }
  /// Waits until the run's folder has a checkpoint of that stage.
  void wait_for(const std::string& stage) const {
    for (int i = 0; i < 12'000; ++i, pause(0.01)) {
      if (!fs::is_directory(folder_ / "run/checkpoints")) continue;
      for (const auto& entry : fs::directory_iterator(folder_ / "run/checkpoints")) {
        if (entry.path().filename().string().starts_with(stage + ".")) return;
      }
    }
    FAIL() << "no checkpoint of " << stage;
  }
  std::vector<std::string> checkpoints() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_ / "run/checkpoints")) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  void expect_whole() const { expect_the_same_run(*home_ / "whole", folder_ / "run"); }

  static ScratchFolder* home_;
};

ScratchFolder* Resume::home_ = nullptr;

TEST_F(Resume, AfterCtrlCOrTermItEndsAsIfNeverStopped) {
  Program first = start(train_as("run"));
  wait_for("baseline");
  first.signal(SIGINT);
  const Ended stopped = first.wait();
  expect_complaint(stopped, 130, "stopped by Ctrl-C");
  EXPECT_THAT(stopped.out, HasSubstr("to resume: sluice train --resume run --data builtin\n"));

  Program second = start(resume("run"));
  wait_for("gate");
  second.signal(SIGTERM);
  expect_complaint(second.wait(), 143, "stopped by a signal");

  const Ended ended = run(resume("run"));
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("trained before:\nEpoch 1/1 "));
  expect_whole();
}

TEST_F(Resume, TrainingsBesideEachOtherEndAsIfNeverStopped) {
  const std::vector<std::string> two_threads{"OMP_NUM_THREADS=2"};
  const auto beside = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--parallel", "2"});
    return arguments;
  };
  Program first(folder_.path(), beside(train_as("run")), two_threads);
  wait_for("gate");
  EXPECT_EQ(first.threads_open_to(Program::bits({SIGINT, SIGTERM})), 1) << "the one that waits";
  first.signal(SIGINT);
  const Ended stopped = first.wait();
  expect_complaint(stopped, 130, "stopped by Ctrl-C");
  EXPECT_THAT(stopped.out,
              HasSubstr("to resume: sluice train --resume run --data builtin --parallel 2\n"));

  const Ended ended = run(beside(resume("run")), two_threads);
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_LE(widest(ended.out), 80u);
  ASSERT_EQ(run(beside(train_as("whole")), two_threads).code, 0);
  expect_the_same_run(folder_ / "whole", folder_ / "run");
}

/// Signals within half a second count as one, so the second one comes later.
TEST_F(Resume, ASecondSignalEndsItAtOnce) {
  const fs::path slow = folder_ / ".bin/gnuplot";
  save(slow, "#!/bin/sh\ntouch " + (folder_ / ".started").string() + "\nexec sleep 20\n");
  fs::permissions(slow, fs::perms::owner_all);
  const std::string path = "PATH=" + slow.parent_path().string() + ":" + getenv("PATH");
  Program program(folder_.path(), train_as("run"), {path});
  while (!fs::exists(folder_ / ".started")) pause(0.01);
  program.signal(SIGINT);
  pause(1);
  program.signal(SIGTERM);
  const Ended ended = program.wait_at_most(10);
  EXPECT_EQ(ended.code, 128 + SIGTERM);
  EXPECT_EQ(ended.err, "") << "ended by the system";
  ASSERT_EQ(run(resume("run")).code, 0);
  expect_whole();
}

/// A handler's frame would overwrite the heap near oneDNN's GEMM: see watch_for_interrupt().
TEST_F(Resume, NoThreadRunsAHandlerOfTheSignals) {
  Program program = start(train_as("run"));
  wait_for("baseline");
  const std::uint64_t both = Program::bits({SIGINT, SIGTERM});
  EXPECT_EQ(program.signals("SigCgt") & both, 0u) << "handled";
  EXPECT_EQ(program.signals("SigBlk") & both, both) << "blocked";
  program.signal(SIGKILL);
  program.wait();
}

/// Kills at random moments. SLUICE_KILLS sets the number of kills, over as many runs as needed.
TEST_F(Resume, AfterKillsAtRandomMomentsItEndsAsIfNeverKilled) {
  const char* asked = getenv("SLUICE_KILLS");
  const int wanted = asked != nullptr ? std::atoi(asked) : 6;
  std::mt19937 random(1);
  std::uniform_real_distribution<double> seconds(0.1, 2.5);
  int kills = 0;
  int runs = 0;
  for (; kills < wanted; ++runs) {
    fs::remove_all(folder_ / "run");
    // A run that was killed while it cleaned up, after its last output, is finished.
    while (!fs::exists(folder_ / "run/report.html")) {
      const bool begun = fs::is_directory(folder_ / "run/checkpoints");
      if (!begun) fs::remove_all(folder_ / "run");
      Program program = start(begun ? resume("run") : train_as("run"));
      const double moment = seconds(random);
      if (kills < wanted) {
        pause(moment);
        program.signal(SIGKILL);
      }
      const Ended ended = program.wait();
      if (ended.code == 0) break;
      ASSERT_EQ(ended.code, 128 + SIGKILL) << "after " << moment << " s: " << ended.err;
      ++kills;
    }
    if (fs::exists(folder_ / "run/checkpoints")) run(resume("run"));  // cleans up
    expect_whole();
  }
  RecordProperty("kills", kills);
  EXPECT_GT(kills, 0);
  RecordProperty("runs", runs);
}

TEST_F(Resume, ADamagedCheckpointFallsBackToTheOneBefore) {
  Program first = start(train_as("run"));
  wait_for("gate");
  first.signal(SIGKILL);
  first.wait();
  std::vector<std::string> names = checkpoints();
  std::erase_if(names, [](const std::string& name) { return !name.starts_with("gate."); });
  const fs::path newest = folder_ / ("run/checkpoints/" + names.back());
  save(newest, load(newest).substr(0, 1'000'000));
  const Ended ended = run(resume("run"));
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("checkpoint: ignored run/checkpoints/" + names.back()));
  expect_whole();
}

TEST_F(Resume, AFullDiskEndsItWithTheNeedAndLosesNothing) {
  // A checkpoint has 26 MB, or 9 MB if its stage is finished.
  constexpr Program::Limit kTooSmall{RLIMIT_FSIZE, 5'000'000};
  Program program = start(train_as("run"), kTooSmall);
  const Ended full = program.wait();
  expect_complaint(full, 1,
                   "run/checkpoints/baseline.00001-0000003.safetensors: cannot be "
                   "written: File too large: free some space (27 MB)");
  EXPECT_THAT(checkpoints(), ::testing::ElementsAre("lock")) << "nothing half written";

  Program more = start(resume("run"));
  wait_for("gate");
  more.signal(SIGINT);
  more.wait();
  const std::vector<std::string> before = checkpoints();
  EXPECT_EQ(start(resume("run"), kTooSmall).wait().code, 1);
  EXPECT_EQ(checkpoints(), before) << "the last good ones stay";
  ASSERT_EQ(run(resume("run")).code, 0);
  expect_whole();
}

TEST_F(Resume, OneProgramAtATimeTrainsARun) {
  Program first = start(train_as("run"));
  wait_for("baseline");
  expect_complaint(Program(folder_.path(), resume("run")).wait(), 2,
                   "run is being trained by another program");
  first.signal(SIGKILL);
  first.wait();
  ASSERT_EQ(run(resume("run")).code, 0) << "the lock died with its program";
}

TEST_F(Resume, AnEditedExperimentIsRefusedWithItsKey) {
  Program program = start(train_as("run"));
  wait_for("gate");
  program.signal(SIGKILL);
  program.wait();
  const std::string before = load(folder_ / "run/experiment.toml");
  const auto with = [&](const std::string& from, const std::string& to) {
    save(folder_ / "run/experiment.toml", std::regex_replace(before, std::regex(from), to));
    return run(resume("run"));
  };
  expect_complaint(with("\nseed = 0", "\nseed = 7"), 2,
                   "run cannot be resumed with another experiment: seed was 0, and is 7");
  expect_complaint(with("\"artificial\"", "\"machines\""), 2, "groups[0] was \"artificial\" [");
  expect_complaint(with("batch_size = 32", "batch_size = 16"), 2,
                   "train.batch_size was 32, and is");
  ASSERT_EQ(with("", "").code, 0);
  expect_whole();
}

TEST_F(Resume, OtherThreadsAreToldAndKeptInTheResults) {
  Program program = start(train_as("run"));
  wait_for("gate");
  program.signal(SIGKILL);
  program.wait();
  const Ended ended = run(resume("run"), {"OMP_NUM_THREADS=1"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, ::testing::ContainsRegex("checkpoint: trained with .* threads, .*, the "
                                                  "rest is trained with .* 1 threads, "));
  const nlohmann::json results = nlohmann::json::parse(load(folder_ / "run/results.json"));
  EXPECT_EQ(results["baseline"]["trained_with"].size(), 1u);
  EXPECT_NE(results["baseline"]["trained_with"], results["mixture"]["trained_with"]);
  EXPECT_EQ(results["gate"]["trained_with"].size(), 2u) << "begun with more, ended with one";
}

/// Imitates a kill between the creation of the folder and the first checkpoint.
TEST_F(Resume, ARunWithoutACheckpointStartsFromTheBeginning) {
  fs::create_directories(folder_ / "run/figures");
  for (const char* file : {"experiment.toml", "data.json"}) {
    fs::copy_file(*home_ / "whole" / file, folder_ / "run" / file);
  }
  const Ended ended = run(resume("run"));
  ASSERT_EQ(ended.code, 0) << ended.err;
  expect_whole();
}

TEST_F(Resume, RefusesWhatCannotGoOn) {
  const auto at_home = [](std::vector<std::string> arguments) {
    return Program(home_->path(), std::move(arguments)).wait();
  };
  expect_complaint(at_home(resume("whole")), 2, "whole is finished");
  expect_complaint(run(resume("nowhere")), 2, "nowhere does not exist");
  expect_complaint(at_home({"train", "--resume", "whole", "--run", "other"}), 2, "--run");

  Program program = start(train_as("run"));
  wait_for("baseline");
  program.signal(SIGKILL);
  program.wait();
  expect_complaint(run({"train", kLab, "--resume", "run", "--data", "builtin"}), 2,
                   "run cannot be resumed with another experiment: data.train_images was " +
                       kShortImages + ", and is 5000");
  expect_complaint(
      run({"train", "--resume", "run", "--set", "train.learning_rate=0.5", "--data", "builtin"}), 2,
      "train.learning_rate was 0.001, and is 0.5");
  expect_complaint(run({"train", "--resume", "run", "--data", "gone"}), 2, "gone");
  expect_complaint(run({"train", "--resume", "run", "--controls", "--data", "builtin"}), 2,
                   "controls.longer was false, and is true");
  // An experiment file with the same values counts as the same experiment.
  auto again = train_short({"--data", "builtin", "--resume", "run"});
  EXPECT_EQ(run(again).code, 0);

  save(folder_ / "run/checkpoints/left.safetensors", "of a run that was killed as it ended");
  expect_complaint(run(resume("run")), 2, "run is finished");
  EXPECT_FALSE(fs::exists(folder_ / "run/checkpoints"));
  fs::remove_all(folder_ / "run/results.json");
  expect_complaint(run(resume("run")), 2, "run has no checkpoints to resume from");
}

TEST_F(Resume, GoesOnWithItsOwnImagesAndNoOthers) {
  Program program = start(train_as("run"));
  wait_for("baseline");
  program.signal(SIGKILL);
  program.wait();
  std::string images;  // one of each class, repeated
  for (int i = 0; i < 320; ++i) {
    images += static_cast<char>(i % 10) + std::string(3072, static_cast<char>(i));
  }
  save(folder_ / ".others/data_batch_1.bin", images);
  save(folder_ / ".others/test_batch.bin", images);
  expect_complaint(run({"train", "--resume", "run", "--data", ".others"}), 2,
                   "run was trained on built-in images, and " + (folder_ / ".others").string() +
                       " has other images: leave out --data, or give the same images");
  const Ended ended = run({"train", "--resume", "run", "--checkpoint-steps", "3"},
                          {"SLUICE_DATA=" + (folder_ / ".others").string()});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("drawn by sluice (remembered by run)\n"));
  expect_whole();
}

}  // namespace
}  // namespace sluice::testing
