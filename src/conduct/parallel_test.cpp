// Trainings beside each other: RunOptions::parallel.

#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/parallel.h"
#include "sluice/lab/run.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

Experiment small_lab() {
  Experiment experiment;
  experiment.name = "small";
  experiment.data = {.train_images = 80, .test_images = 20, .height = 16, .width = 16};
  experiment.groups = {{"artificial", {"airplane", "automobile", "ship", "truck"}},
                       {"natural", {"bird", "cat", "deer", "dog", "frog", "horse"}}};
  experiment.lab.network.width = 0.1;
  experiment.lab.epochs = {2, 2, 2, 1};
  experiment.lab.augment.mirror = Augmentation::Mirror::random;  // a thread prepares the batches
  return experiment;
}

/// With so many images two trainings can be seen beside each other.
Experiment long_lab() {
  Experiment experiment = small_lab();
#ifdef SLUICE_SANITIZED  // ten times as slow
  experiment.data.train_images = 500;
#else
  experiment.data.train_images = 3000;
#endif
  return experiment;
}

/// Keeps all reports but those of steps as lines, and stops the run behind a stage, or if it is
/// told to.
class Lines : public RunObserver {
 public:
  bool should_stop() override {
    EXPECT_EQ(std::this_thread::get_id(), own_);
    return stops;
  }
  void on_note(const std::string& line) override { add("note: " + line); }
  void on_begin(const RunStart& start) override {
    folder = start.folder.path();
    add("begin " + std::to_string(start.train.size()));
  }
  void on_stage(const StageStart& start) override {
    add(std::to_string(start.number) + " " + start.stage.name + " " +
        std::to_string(start.train.size()));
    if (on_a_stage) on_a_stage(start.stage);
  }
  void on_resumed(const FitState& state) override { add(state.finished ? "before" : "resumed"); }
  void on_step(const Progress&) override { ++steps; }
  void on_running(const std::vector<Running>& all, double) override {
    EXPECT_EQ(std::this_thread::get_id(), own_);
    most_running = std::max(most_running, all.size());
    if (while_running) while_running(all);
  }
  void on_epoch(const Progress& progress, const Epoch& epoch) override {
    add("epoch " + std::to_string(progress.epoch) + " " + std::to_string(epoch.loss));
  }
  void on_model(const Stage& stage, const ModelResult& result,
                const std::vector<LayerProfile>&) override {
    add(stage.name + " " + std::to_string(result.test.loss));
    ++models;
    stops |= stage.name == stops_behind;
  }
  void on_groups(const ClassConfusions&, const std::vector<Groups::Group>& groups) override {
    add("groups " + std::to_string(groups.size()));
  }
  void on_results(const Results&) override { add("results"); }

  bool stops = false;
  std::function<void(const Stage&)> on_a_stage;
  std::string stops_behind;  ///< name of a stage
  std::function<void(const std::vector<Running>&)> while_running;
  std::vector<std::string> lines;
  std::size_t most_running = 0;
  int steps = 0;
  int models = 0;
  fs::path folder;

 private:
  void add(const std::string& line) {
    EXPECT_EQ(std::this_thread::get_id(), own_);
    lines.push_back(line);
  }

  std::thread::id own_ = std::this_thread::get_id();
};

/// Removes times, speeds and the number of threads at the end from results.json.
void drop_times(nlohmann::json& json) {
  for (auto it = json.begin(); it != json.end();) {
    const bool is_time =
        json.is_object() &&
        (it.key().find("second") != std::string::npos || it.key() == "latency_ms" ||
         it.key() == "finished_at" || it.key() == "peak_memory_bytes" || it.key() == "threads");
    if (!is_time && it->is_structured()) drop_times(*it);
    it = is_time ? json.erase(it) : std::next(it);
  }
}

class Parallel : public testing::Test {
 protected:
  RunOptions options(const std::string& folder, int parallel) const {
    return {.folder = folder_ / folder, .data = "builtin", .parallel = parallel};
  }

  /// Trains as a run of two trainings beside each other does, but one stage after the other: the
  /// mixture and `longer` with both threads, and all others with one. Returns all reports until
  /// the mixture.
  std::vector<std::string> train_in_turn(const Experiment& experiment, const std::string& folder) {
    const std::string last = experiment.lab.controls.longer ? "control-longer" : "mixture";
    Lines parts;
    parts.stops_behind = "gate";
    {
      const ThreadTeam alone(1);
      EXPECT_THROW(run(experiment, options(folder, 1), parts), Stopped);
    }
    Lines mixture;
    if (experiment.lab.controls.any()) mixture.stops_behind = last;
    try {
      resume(folder_ / folder, options("", 1), mixture);
    } catch (const Stopped&) {
      const ThreadTeam alone(1);
      Lines controls;
      resume(folder_ / folder, options("", 1), controls);
    }
    return parts.lines;
  }

  /// Returns the contents of a run's model files, histories without times, results and predictions.
  std::map<std::string, std::string> contents(const std::string& run) const {
    std::map<std::string, std::string> contents;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / run)) {
      const std::string name = fs::relative(entry.path(), folder_ / run);
      if (name.ends_with("model.safetensors") || name == "predictions.csv" ||
          name == "gallery.json" || name == "groups.toml") {
        contents[name] = load(entry.path());
      } else if (name.ends_with("history.csv")) {
        std::istringstream rows(load(entry.path()));
        for (std::string row; std::getline(rows, row);) {
          contents[name] += row.substr(0, row.rfind(',')) + "\n";
        }
      } else if (name == "results.json") {
        nlohmann::json json = nlohmann::json::parse(load(entry.path()));
        drop_times(json);
        contents[name] = json.dump(1);
      }
    }
    return contents;
  }
  void expect_the_same(const std::string& a, const std::string& b) const {
    const auto of_a = contents(a);
    const auto of_b = contents(b);
    EXPECT_EQ(of_a.size(), of_b.size());
    for (const auto& [name, bytes] : of_a) {
      EXPECT_TRUE(of_b.contains(name) && bytes == of_b.at(name)) << name;
    }
  }
  /// Returns stage, epoch and step: "gate.00001-0000004".
  std::vector<std::string> checkpoints(const std::string& run) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_ / run / "checkpoints")) {
      if (entry.path().extension() == ".safetensors") names.push_back(entry.path().stem());
    }
    return names;
  }

  ScratchFolder folder_;
  ScopedVariable path_{"PATH", folder_.path().c_str()};  // hides gnuplot, which takes long
  ThreadTeam team_{2};
};

TEST_F(Parallel, ARunHasTheBitsOfItsStagesAloneAndTheirOrder) {
  Experiment experiment = small_lab();
  experiment.lab.controls = {.longer = true, .average = true, .wider = true};
  Lines beside;
  run(experiment, options("beside", 2), beside);
  const std::vector<std::string> parts = train_in_turn(experiment, "in turn");
  expect_the_same("beside", "in turn");
  EXPECT_EQ(contents("beside").size(), 8 * 2 + 3) << "eight stages, and three files";
  EXPECT_FALSE(fs::exists(folder_ / "beside/checkpoints"));

  ASSERT_GT(beside.lines.size(), parts.size());
  EXPECT_EQ(std::vector(beside.lines.begin(), beside.lines.begin() + std::ssize(parts)), parts);
  const std::string json = load(folder_ / "beside/results.json");
  EXPECT_THAT(json, HasSubstr(", 1 threads, "));
  EXPECT_THAT(json, HasSubstr(", 2 threads, ")) << "the mixture has all";
}

TEST_F(Parallel, NothingRunsBesideTheMixture) {
  Experiment experiment = small_lab();
  experiment.lab.controls.wider = true;
  experiment.lab.epochs = {6, 1, 1, 1};  // the wider network is the last to end
  Lines lines;
  const fs::path finished = folder_ / "run/checkpoints/control-wider.00007-0000000.safetensors";
  lines.on_a_stage = [&](const Stage& stage) {
    if (stage.kind == StageKind::mixture) {
      EXPECT_TRUE(fs::exists(finished));
    }
  };
  run(experiment, options("run", 2), lines);
}

TEST_F(Parallel, StoppedAndResumedARunEndsInTheSameBits) {
  const Experiment experiment = long_lab();
  Lines whole;
  run(experiment, options("whole", 2), whole);
  Lines first;
  first.while_running = [&](const std::vector<Running>& all) {
    first.stops = all.size() == 2 && all[0].progress.step > 0 && all[1].progress.step > 0;
  };
  EXPECT_THROW(run(experiment, options("run", 2), first), Stopped);
  EXPECT_THAT(checkpoints("run"), Contains(StartsWith("baseline.")));
  EXPECT_THAT(checkpoints("run"), Contains(StartsWith("gate.")));
  int stops = 1;
  for (int calls = 2;; calls += 2) {
    Lines next;
    next.while_running = [&, left = calls](const std::vector<Running>&) mutable {
      next.stops = --left == 0;
    };
    RunOptions again = options("", 2);
    again.checkpoint_steps = 2;
    try {
      resume(folder_ / "run", again, next);
      EXPECT_THAT(next.lines, Not(Contains(HasSubstr("rounding differs"))));
      break;
    } catch (const Stopped&) {
      ASSERT_LT(++stops, 20);
    }
  }
  EXPECT_GT(stops, 1);
  expect_the_same("run", "whole");
}

TEST_F(Parallel, WithOtherThreadsAResumedRunNotesIt) {
  Lines first;
  first.stops_behind = "gate";
  EXPECT_THROW(run(small_lab(), options("run", 2), first), Stopped);
  Lines rest;
  resume(folder_ / "run", options("", 1), rest);
  EXPECT_THAT(rest.lines, Contains(HasSubstr("1 threads")).Times(4));
}

TEST_F(Parallel, FindsItsGroupsAndTrainsTheirExperts) {
  Experiment experiment = small_lab();
  experiment.data.train_images = 400;
  experiment.lab.validation_split = 0.25;
  experiment.lab.epochs = {1, 1, 1, 1};
  experiment.groups.clear();
  experiment.finds_groups = true;
  experiment.lab.controls = {.longer = false, .average = true, .wider = true};
  Lines beside;
  const Results found = run(experiment, options("beside", 2), beside);
  EXPECT_THAT(beside.lines, Contains("groups " + std::to_string(found.experts.size())));
  EXPECT_EQ(found.controls.size(), 2);
  train_in_turn(experiment, "in turn");
  expect_the_same("beside", "in turn");

  for (const char* name : {"stopped before groups", "stopped after groups"}) {
    Lines stopped;
    stopped.while_running = [&](const std::vector<Running>&) {
      const bool has_groups = fs::exists(stopped.folder / "groups.toml");
      stopped.stops = has_groups == (name == std::string("stopped after groups"));
    };
    EXPECT_THROW(run(experiment, options(name, 2), stopped), Stopped);
    Lines rest;
    resume(folder_ / name, options("", 2), rest);
    expect_the_same(name, "beside");
  }
}

TEST_F(Parallel, AnErrorOfOneTrainingEndsAllAndTheRunCanContinue) {
  Lines lines;
  // A folder of that name is in the way of the gate's last checkpoint.
  const fs::path in_the_way = folder_ / "run/checkpoints/gate.00003-0000000.safetensors";
  lines.while_running = [&](const std::vector<Running>&) { fs::create_directories(in_the_way); };
  EXPECT_THAT(error_of(Fault::user, [&] { run(small_lab(), options("run", 2), lines); }),
              HasSubstr("gate.00003-0000000.safetensors is a folder"));
  EXPECT_THAT(lines.lines, Not(Contains(StartsWith("5 mixture"))));
  fs::remove(in_the_way);
  Lines rest;
  resume(folder_ / "run", options("", 2), rest);
  Lines whole;
  run(small_lab(), options("whole", 2), whole);
  expect_the_same("run", "whole");
}

TEST_F(Parallel, ALossThatIsNotFiniteIsOneError) {
  Experiment experiment = small_lab();
  experiment.lab.optimizer.learning_rate = 1e30;
  Lines lines;
  EXPECT_THAT(error_of(Fault::user, [&] { run(experiment, options("run", 2), lines); }),
              HasSubstr("not finite in epoch 1"));
}

TEST_F(Parallel, AnExceptionOfTheObserverEndsAll) {
  struct Own {};
  Lines lines;
  lines.while_running = [](const std::vector<Running>&) { throw Own(); };
  EXPECT_THROW(run(small_lab(), options("run", 2), lines), Own);
}

TEST_F(Parallel, ARunOfOneNetworkHasAllThreads) {
  Experiment one = small_lab();
  one.groups.clear();
  Lines lines;
  run(one, options("run", 2), lines);
  EXPECT_EQ(lines.most_running, 0);
  EXPECT_THAT(load(folder_ / "run/results.json"), HasSubstr(", 2 threads, "));
}

TEST_F(Parallel, RefusesMoreTrainingsThanThreadsBeforeItLoads) {
  Lines lines;
  for (const int wrong : {-1, 0, 3}) {
    const auto refused = [&](const auto& call) {
      EXPECT_THAT(error_of(Fault::user, call),
                  HasSubstr("from 1 to that of the OpenMP threads, 2"));
    };
    refused([&] { run(small_lab(), options("run", wrong), lines); });
    refused([&] { run_seeds(small_lab(), 2, options("run", wrong), lines); });
    refused([&] { run_frontier(small_lab(), options("run", wrong), lines); });
  }
  EXPECT_THAT(lines.lines, IsEmpty());
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

TEST_F(Parallel, SeedsHaveTheBitsOfRunsAloneAndContinueAfterAStop) {
  Experiment one = long_lab();
  one.groups.clear();
  Lines stopped;
  stopped.while_running = [&](const std::vector<Running>& all) {
    stopped.stops = all.size() == 2 && all[0].progress.step > 0 && all[1].progress.step > 0;
  };
  EXPECT_THROW(run_seeds(one, 3, options("beside", 2), stopped), Stopped);
  Lines beside;
  const SeedRuns seeds = run_seeds(one, 3, options("beside", 2), beside);
  EXPECT_EQ(beside.folder, folder_ / "beside/seed-2");
  const ThreadTeam alone(1);
  Lines lines;
  EXPECT_EQ(run_seeds(one, 3, options("alone", 1), lines).baseline.mean, seeds.baseline.mean);
  for (const char* seed : {"seed-0", "seed-1", "seed-2"}) {
    expect_the_same(std::string("beside/") + seed, std::string("alone/") + seed);
  }
}

/// Dense networks and a mixture on a few images.
Experiment small_frontier() {
  Experiment experiment = long_lab();
  experiment.lab.validation_split = 0.25;
  experiment.lab.epochs = {1, 1, 1, 1};
  experiment.frontier = {.seeds = 2, .widths = {1}, .work = {0.5}};
  return experiment;
}

TEST_F(Parallel, AFrontierIsThatOfRunsAlone) {
  Lines beside;
  const Frontier frontier = run_frontier(small_frontier(), options("beside", 2), beside);
  const ThreadTeam alone(1);
  Lines lines;
  const Frontier other = run_frontier(small_frontier(), options("alone", 1), lines);
  EXPECT_EQ(sentence(frontier.points, frontier.verdict), sentence(other.points, other.verdict));
  ASSERT_EQ(frontier.points.size(), other.points.size());
  for (std::size_t i = 0; i < frontier.points.size(); ++i) {
    EXPECT_EQ(frontier.points[i].words, other.points[i].words);
    for (std::size_t s = 0; s < frontier.seeds.size(); ++s) {
      EXPECT_EQ(frontier.points[i].seeds[s].right, other.points[i].seeds[s].right);
    }
  }
  EXPECT_GT(frontier.points.front().latency_ms(), 0);
  for (const char* run : {"seed-0/mixture", "seed-1/width-1-work-0.5"}) {
    expect_the_same(std::string("beside/") + run, std::string("alone/") + run);
  }
  EXPECT_EQ(RunFolder::open(folder_ / "beside/seed-1/mixture").read_experiment().lab.seed, 1);
  // Only the time left differs.
  const auto without_times = [](std::vector<std::string> all) {
    for (std::string& line : all) line = line.substr(0, line.find("; "));
    return all;
  };
  EXPECT_EQ(without_times(beside.lines), without_times(lines.lines));
}

TEST_F(Parallel, AStoppedFrontierContinues) {
  Lines stopped;
  stopped.while_running = [&](const std::vector<Running>& all) {
    EXPECT_LE(all.size(), 2);
    stopped.stops = all.size() == 2 && all[0].progress.step > 0 && all[1].progress.step > 0;
  };
  EXPECT_THROW(run_frontier(small_frontier(), options("sweep", 2), stopped), Stopped);
  EXPECT_FALSE(fs::exists(folder_ / "sweep/frontier.json"));
  Lines rest;
  const Frontier frontier = run_frontier(small_frontier(), options("sweep", 2), rest);
  EXPECT_THAT(rest.lines, Contains(testing::AnyOf("resumed", "before")));
  Lines again;
  EXPECT_EQ(sentence(frontier.points, frontier.verdict),
            sentence(run_frontier(small_frontier(), options("sweep", 2), again).points,
                     frontier.verdict));
  EXPECT_EQ(again.models, 0);
  EXPECT_THAT(again.lines, Contains(EndsWith("is finished")).Times(4));
}

}  // namespace
}  // namespace sluice
