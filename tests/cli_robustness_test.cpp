// Tests every verb in hostile environments: streams that cannot be written, OpenMP's variables,
// signals, file systems, and changed files of a run.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "sluice/dataset.h"
#include "sluice/lab/report.h"
#include "sluice/lab/run_folder.h"
#include "tests/command_line.h"

namespace sluice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using Stream = Program::Stream;

constexpr double kPatience = 300;  ///< seconds; sanitizers are slow, and a hang never ends

/// Returns the arguments of a lab of a few steps, for tests that train often.
std::vector<std::string> train_briefly(std::vector<std::string> more) {
  more.insert(more.end(), {"--data", "builtin"});
  std::vector<std::string> all = train_short(std::move(more));
  all.insert(all.end(), {"--set", "data.train_images=96", "--set", "data.test_images=40"});
  return all;
}

struct Verb {
  std::vector<std::string> arguments;
  int code = 0;        ///< exit code of an unhindered call
  bool fails = false;  ///< whether it fails without output
};

class Robustness : public CommandLine {
 protected:
  static void SetUpTestSuite() {
    home_ = new ScratchFolder();
    const Ended trained = Program(home_->path(), train_briefly({"--run", "run"})).wait();
    ASSERT_EQ(trained.code, 0) << trained.err;
    Program(home_->path(), {"data", "sample", "--data", "builtin", kLab}).wait();
    Program(home_->path(), {"export", "run", "--model", "baseline", "--to", "out"}).wait();
    for (const char* name : {"cat", "ship", "truck"}) {
      fs::create_directories(*home_ / "pets" / name);
      fs::copy(*home_ / "samples" / name, *home_ / "pets" / name);
    }
  }
  static void TearDownTestSuite() { delete home_; }

  static std::string home(const std::string& path) { return (*home_ / path).string(); }

  /// Returns one short call of each verb; its output goes to the test's own folder.
  static std::vector<Verb> verbs() {
    const std::string run = home("run");
    const std::string picture = home("samples/cat/0.png");
    return {
        {{"--help"}},
        {{"--version"}},
        {{"train", "--help"}},
        {{"summary", kLab}},
        {{"data", "info", "--data", "builtin", kLab}},
        {{"data", "sample", "--data", "builtin", kLab, "--count", "1"}},
        {{"data", "check", home("pets")}},
        {{"init", home("pets")}},
        {{"predict", run, picture}},
        {{"explain", run, picture, "--to", "explained.html"}},
        {{"evaluate", run, "--data", "builtin"}},
        {{"report", run, "--to", "report.html"}},
        {{"groups", run}, 2, true},  // without validation images
        {{"export", run, "--to", "export", "--model", "gate"}},
        {{"import", home("out/baseline.keras"), "--run", "imported"}},
        {{"bench", "inference", "--batch", "1", "--seconds", "0.01"}},
        {{"trian"}, 2, true},
        {{"predict", "nowhere", picture}, 2, true},
        {{"train", kLab, "--resume", "nowhere"}, 2, true},
    };
  }

  /// Expects the user's mistake: lines about the data, and one that starts as errors do.
  static void expect_refused(const Ended& ended, const std::string& mend) {
    EXPECT_EQ(ended.code, 2) << ended.err;
    const std::size_t at = ended.err.find("sluice: [");
    ASSERT_NE(at, std::string::npos) << ended.err;
    EXPECT_THAT(ended.err.substr(at), HasSubstr(mend));
    EXPECT_EQ(ended.err.find('\n', at), ended.err.size() - 1) << ended.err;
  }

  /// Runs in a new empty folder.
  Ended run_fresh(const std::vector<std::string>& arguments, std::vector<std::string> environment,
                  Program::Streams streams) {
    const fs::path folder = folder_ / std::to_string(++runs_);
    fs::create_directory(folder);
    return Program(folder, arguments, std::move(environment), {}, streams).wait_at_most(kPatience);
  }

  static ScratchFolder* home_;
  int runs_ = 0;
};

ScratchFolder* Robustness::home_ = nullptr;

TEST_F(Robustness, LostOutputIsExitCode1AndNeverMore) {
  for (const Verb& verb : verbs()) {
    SCOPED_TRACE(verb.arguments[0] + " " + verb.arguments.back());
    for (const Stream out : {Stream::closed, Stream::full, Stream::broken}) {
      const Ended ended = run_fresh(verb.arguments, {}, {out, Stream::kept});
      EXPECT_EQ(ended.code, verb.fails ? verb.code : 1) << static_cast<int>(out);
      if (!verb.fails) {
        EXPECT_THAT(ended.err, HasSubstr("standard output cannot be written: "));
      }
    }
    EXPECT_EQ(run_fresh(verb.arguments, {}, {Stream::kept, Stream::full}).code, verb.code);
    EXPECT_EQ(run_fresh(verb.arguments, {}, {Stream::closed, Stream::closed}).code,
              verb.fails ? verb.code : 1);
  }
}

TEST_F(Robustness, TrainingGoesOnWithoutOutput) {
  for (const Stream out : {Stream::closed, Stream::full, Stream::broken}) {
    const std::string run = "run" + std::to_string(static_cast<int>(out));
    Program program(folder_.path(), train_briefly({"--run", run}), {}, {}, {out, Stream::kept});
    const Ended ended = program.wait_at_most(kPatience);
    expect_complaint(ended, 1, "standard output cannot be written: ");
    for (const char* file : {"results.json", "baseline/model.safetensors"}) {
      EXPECT_THAT(load(folder_ / run / file), ::testing::Not(HasSubstr("Epoch 1/1"))) << file;
    }
    EXPECT_EQ(load(folder_ / run / "predictions.csv"), load(*home_ / "run/predictions.csv"));
  }
}

TEST_F(Robustness, EveryVerbEndsWhateverTeamsOpenMpGives) {
  const std::vector<std::string> changing_teams{"OMP_THREAD_LIMIT=1", "OMP_DYNAMIC=true",
                                                "OMP_MAX_ACTIVE_LEVELS=0",
                                                "OMP_NUM_THREADS=5 OMP_THREAD_LIMIT=3"};
  const std::vector<std::string> others{"OMP_NUM_THREADS=1",      "OMP_NUM_THREADS=5",
                                        "OMP_PROC_BIND=true",     "GOMP_CPU_AFFINITY=0",
                                        "OMP_WAIT_POLICY=active", "OMP_SCHEDULE=static,1"};
  const auto expect_ends = [&](const std::vector<std::string>& arguments,
                               const std::string& variables) {
    std::istringstream words(variables);
    std::vector<std::string> environment;
    for (std::string word; words >> word;) environment.push_back(word);
    const Ended ended = run_fresh(arguments, environment, {});
    EXPECT_EQ(ended.code, 0) << variables << ": " << arguments[0] << ": " << ended.err;
  };
  for (const std::string& variables : changing_teams) {
    expect_ends(train_briefly({"--run", "run"}), variables);
    for (const Verb& verb : verbs()) {
      const std::string& name = verb.arguments[0];
      const bool computes =
          name == "predict" || name == "evaluate" || name == "explain" || name == "bench";
      if (computes && !verb.fails) expect_ends(verb.arguments, variables);
    }
  }
  for (const std::string& variables : others) {
    expect_ends({"bench", "train", "--batch", "8", "--seconds", "0.01"}, variables);
  }
}

TEST_F(Robustness, ResultsTellTheThreadsThatTrained) {
  ASSERT_EQ(run(train_briefly({"--run", "run"}), {"OMP_THREAD_LIMIT=1"}).code, 0);
  EXPECT_THAT(load(folder_ / "run/results.json"), HasSubstr("\"threads\": 1"));
  EXPECT_THAT(load(folder_ / "run/results.json"), HasSubstr(", 1 threads, "));
}

/// Saves pictures of noise in two classes: one file under many names.
void save_large_pictures(const fs::path& folder, int count) {
  constexpr int kSide = 1000;
  std::vector<std::uint8_t> noise(std::size_t{3} * kSide * kSide);
  std::mt19937 random(7);
  for (std::uint8_t& value : noise) value = static_cast<std::uint8_t>(random());
  fs::create_directories(folder / "cat");
  fs::create_directories(folder / "dog");
  write_png(folder / "noise", noise, kSide, kSide);
  for (int i = 0; i < count; ++i) {
    const std::string name = std::to_string(i) + ".png";
    fs::create_hard_link(folder / "noise", folder / (i % 2 == 0 ? "cat" : "dog") / name);
  }
}

/// The moments are early, middle and late in the longest call.
TEST_F(Robustness, EveryVerbEndsWithinASecondOfASignal) {
  std::vector<std::string> predict{"predict", home("run")};
  for (int i = 0; i < 400; ++i) {
    for (const char* name : {"cat", "dog", "ship", "frog", "deer", "bird", "truck", "horse"}) {
      predict.push_back(
          home(std::string("samples/") + name + "/" + std::to_string(i % 5) + ".png"));
    }
  }
  std::vector<std::string> report{"report", "--to", "all.html"};
  for (int i = 0; i < 60; ++i) report.push_back(home("run"));
  save_large_pictures(folder_ / "large", 600);
  const ScopedVariable cache("XDG_CACHE_HOME", (folder_ / "cache").c_str());
  const auto decoded = [&] {  // the cache's file of decoded pictures, or nothing
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      if (entry.path().filename().string().size() == 64) return load(entry.path());
    }
    return std::string();
  };
  Program(folder_.path(), {"data", "check", "large"}).wait();
  const std::string whole = decoded();
  ASSERT_FALSE(whole.empty());
  fs::remove_all(folder_ / "cache");
  const std::vector<std::vector<std::string>> long_ones{
      predict,
      report,
      {"evaluate", home("run"), "--data", "builtin"},
      {"data", "info", "--data", "builtin"},
      {"data", "check", "large"},
      {"data", "sample", "--data", "builtin", "--out", "samples"},
      {"bench", "--seconds", "30"},
      {"export", home("run"), "--to", "export"},
      train_short({"--data", "builtin", "--set", "train.epochs=9"})};
#ifdef SLUICE_SANITIZED
  constexpr double kSoon = 30;
#else
  constexpr double kSoon = 1;
#endif
  for (const auto& arguments : long_ones) {
    for (const double moment : {0.1, 1., 3.}) {
      for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        if (signal != SIGINT && moment != 1.) continue;
        Program program(folder_.path(), arguments);
        std::this_thread::sleep_for(std::chrono::duration<double>(moment));
        program.signal(signal);
        const auto sent = std::chrono::steady_clock::now();
        const Ended ended = program.wait_at_most(kPatience);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - sent;
        EXPECT_THAT(ended.code, AnyOf(0, 128 + signal)) << arguments[0] << ": " << ended.err;
        EXPECT_LE(took.count(), kSoon) << arguments[0] << " after " << moment << " s";
        EXPECT_FALSE(fs::exists(folder_ / "all.html") && ended.code != 0) << "half-written";
        // A fast machine has decoded all before the signal.
        const std::string left = decoded();
        EXPECT_TRUE(left.empty() || left == whole) << "half-decoded";
        fs::remove(folder_ / "all.html");
        fs::remove_all(folder_ / "cache");
      }
    }
  }
}

/// `timeout` signals its child and then the whole process group.
TEST_F(Robustness, TwoSignalsAtOnceAreOne) {
  Program program(folder_.path(), train_short({"--data", "builtin", "--run", "run", "--set",
                                               "train.epochs=9", "--checkpoint-steps", "3"}));
  while (!fs::exists(folder_ / "run/checkpoints")) usleep(10'000);
  usleep(300'000);
  program.signal(SIGSTOP);
  program.signal(SIGTERM);
  program.signal(SIGHUP);
  program.signal(SIGCONT);
  const Ended ended = program.wait_at_most(kPatience);
  EXPECT_THAT(ended.code, AnyOf(128 + SIGTERM, 128 + SIGHUP));
  EXPECT_THAT(ended.out, HasSubstr("to resume: sluice train --resume run"));
}

TEST_F(Robustness, ARunOfNohupOutlivesItsTerminal) {
  ::signal(SIGHUP, SIG_IGN);  // inherited by the child
  Program program(folder_.path(), train_briefly({"--run", "run"}));
  ::signal(SIGHUP, SIG_DFL);
  while (!fs::exists(folder_ / "run/checkpoints")) usleep(10'000);
  program.signal(SIGHUP);
  EXPECT_EQ(program.wait_at_most(kPatience).code, 0);
}

/// Mounts a folder as another file system, and unmounts it at the end.
class BoundFolder {
 public:
  BoundFolder(const fs::path& from, const fs::path& to) : to_(to.string()) {
    fs::create_directories(from);
    fs::create_directories(to);
    mounted_ = std::system(("bindfs " + from.string() + " " + to_ + " 2>/dev/null").c_str()) == 0;
  }
  ~BoundFolder() {
    if (mounted_ && std::system(("fusermount -u " + to_).c_str()) != 0) ADD_FAILURE() << to_;
  }
  bool mounted() const { return mounted_; }

 private:
  std::string to_;
  bool mounted_;
};

TEST_F(Robustness, ARunEndsOnFuse) {
  const BoundFolder fuse(folder_ / "a", folder_ / "b");
  if (!fuse.mounted()) GTEST_SKIP() << "bindfs cannot mount here";
  const Ended ended = run(train_briefly({"--run", "b/run"}));
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("Has performance improved?"));
  EXPECT_EQ(load(folder_ / "a/run/predictions.csv"), load(*home_ / "run/predictions.csv"));
  expect_complaint(run({"train", "--resume", "b/run"}), 2, "b/run is finished");
}

TEST_F(Robustness, ARunEndsOnTmpfs) {
  const fs::path place = "/dev/shm/sluice-test-" + std::to_string(::getpid());
  const Ended ended = run(train_briefly({"--run", place.string()}));
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_FALSE(fs::exists(place / "checkpoints"));
  fs::remove_all(place);
}

TEST_F(Robustness, APlaceThatCannotBeWrittenIsTheUsersMistake) {
  for (const char* place : {"/proc/run", "/sys/run"}) {
    const Ended ended = run(train_briefly({"--run", place}));
    expect_complaint(ended, 2, "cannot be made");
    EXPECT_THAT(ended.out, ::testing::Not(HasSubstr("Epoch"))) << "reported before the work";
  }
}

/// Returns the output on a terminal of 40 columns; empty without script(1).
std::string on_terminal(const fs::path& folder, const std::string& kind) {
  std::string command = "stty cols 40\nexec '" SLUICE_PROGRAM "'";
  for (const std::string& argument : train_short({"--data", "builtin", "--run", "run-" + kind})) {
    command += " '" + argument + "'";
  }
  save(folder / "go.sh", command + "\n");
  const std::string script = "cd '" + folder.string() + "' && TERM=" + kind +
                             " script -qec 'sh go.sh' typed </dev/null >/dev/null 2>&1";
  return std::system(script.c_str()) == 0 ? load(folder / "typed") : "";
}

TEST_F(Robustness, ProgressFitsANarrowTerminal) {
  const std::string text = on_terminal(folder_.path(), "xterm");
  if (text.empty()) GTEST_SKIP() << "there is no script(1)";
  int drawn = 0;
  for (std::size_t at = text.find('\r'); at != std::string::npos; at = text.find('\r', at + 1)) {
    const std::size_t end = text.find("\x1b[K", at);
    const std::string line = text.substr(at + 1, end - at - 1);
    if (end == std::string::npos || line.find_first_of("\r\n") != std::string::npos) continue;
    if (text.compare(end + 3, 2, "\r\n") == 0) continue;  // the last line, which stays
    ++drawn;
    EXPECT_LT(widest(line), 40u) << line;
  }
  EXPECT_GT(drawn, 0);
  EXPECT_THAT(on_terminal(folder_.path(), "dumb"), ::testing::Not(HasSubstr("\x1b")));
}

/// Mounts a file system in memory of `size`, and unmounts it at the end.
class SmallDisk {
 public:
  SmallDisk(const fs::path& to, const std::string& size) : to_(to.string()) {
    fs::create_directories(to);
    mounted_ =
        std::system(
            ("mount -t tmpfs -o size=" + size + " tmpfs " + to_ + " 2>/dev/null").c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_ && std::system(("umount " + to_).c_str()) != 0) ADD_FAILURE() << to_;
  }
  bool mounted() const { return mounted_; }

 private:
  std::string to_;
  bool mounted_;
};

TEST_F(Robustness, ADiskWithTooLittleRoomIsToldBeforeTheStart) {
  const fs::path small = folder_ / "small";
  const SmallDisk disk(small, "60m");
  if (!disk.mounted()) GTEST_SKIP() << "tmpfs cannot be mounted here";
  const Ended ended = run(train_briefly({"--run", "small/run"}));
  expect_complaint(ended, 1, "small/run needs 4");  // 438 MB for the lab
  EXPECT_THAT(ended.err, HasSubstr("MB more while it trains, and the disk has 62 MB free: free "));
  EXPECT_TRUE(fs::is_empty(small));
}

TEST_F(Robustness, AFullDiskForDecodedPicturesIsTold) {
  const SmallDisk disk(folder_ / "cache", "8m");
  if (!disk.mounted()) GTEST_SKIP() << "tmpfs cannot be mounted here";
  save_large_pictures(folder_ / "large", 150);
  const ScopedVariable cache("XDG_CACHE_HOME", (folder_ / "cache").c_str());
  const std::vector<std::string> info{"data",   "info",
                                      "--data", "large",
                                      "--set",  "data.set=\"folder\"",
                                      "--set",  "data.image_size=1000"};
  EXPECT_EQ(run(info).code, 0) << "what fits the memory need not be kept";
  const auto is_empty = [&] {
    const fs::path decoded = folder_ / "cache/sluice/decoded";
    return !fs::exists(decoded) || fs::is_empty(decoded);
  };
  EXPECT_TRUE(is_empty());
#ifndef SLUICE_SANITIZED  // whose shadow memory is beyond any limit
  // The images of 450 MB are more than a quarter of this memory, so they must go to the disk.
  const Ended ended =
      Program(folder_.path(), info, {}, Program::Limit{RLIMIT_AS, rlim_t{1000} << 20}).wait();
  expect_complaint(ended, 1, "cannot be written: No space left on device: free ");
  EXPECT_TRUE(is_empty());
#endif
}

TEST_F(Robustness, WrongDataIsRefusedInOneLineThatSaysHowToMendIt) {
  fs::copy(home("pets"), folder_ / "pets", fs::copy_options::recursive);
  fs::create_directories(folder_ / "nothing");
  fs::create_directories(folder_ / "locked/cat");
  fs::create_directories(folder_ / "locked/dog");
  save(folder_ / "note.txt", "a note");
  save(folder_ / "empty.csv", "");
  save(folder_ / "headings.csv", "file,label\n");
  save(folder_ / "one-class.csv", "pets/cat/0.png,cat\n");
  save(folder_ / "short.npz", "PK\3\4 and no more");
  save(folder_ / "cifar-10-python.tar.gz", "\x1f\x8b\x08 and no more");
  fs::permissions(folder_ / "locked", fs::perms::none);
  const std::vector<std::pair<std::string, std::string>> places{
      {"nowhere", "does not exist"},
      {"nothing", "it is empty: put the images of each class into"},
      {"locked", "Permission denied"},
      {"note.txt", "is no folder, CSV file"},
      {"pets/cat", "each class into a folder of its own"},
      {"pets/cat/0.png", "is no folder, CSV file"},
      {"empty.csv", "lists no image: write a file and its label"},
      {"headings.csv", "lists no image: write a file and its label"},
      {"one-class.csv", "has the label cat alone"},
      {"short.npz", "is cut short: copy it again"},
      {"cifar-10-python.tar.gz", "is damaged"}};
  for (const auto& [place, mend] : places) {
    for (const std::vector<std::string>& verb : std::vector<std::vector<std::string>>{
             {"init", place},
             {"data", "check", place},
             {"data", "info", "--data", place, "--set", "data.set=\"folder\""}}) {
      SCOPED_TRACE(verb[0] + " " + place);
      expect_refused(run(verb), mend);
    }
    const bool is_experiment = place == "nowhere" || place == "note.txt" || place.ends_with("png");
    if (!is_experiment) expect_refused(run({"train", place}), mend);
  }
  fs::permissions(folder_ / "locked", fs::perms::owner_all);
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    EXPECT_NE(entry.path().extension(), ".toml") << "an experiment for nothing";
  }
}

TEST_F(Robustness, AMissingFileOfATableIsNamed) {
  fs::copy(home("pets"), folder_ / "pets", fs::copy_options::recursive);
  std::string rows = "file,label\nnone.png,cat\n";
  for (const char* name : {"cat", "ship"}) {
    for (int i = 0; i < 5; ++i) rows += fmt::format("pets/{0}/{1}.png,{0}\n", name, i);
  }
  save(folder_ / "pets.csv", rows);
  expect_refused(run({"data", "info", "--data", "pets.csv", "--set", "data.set=\"csv\""}),
                 "none.png does not exist: replace or delete them, or leave them out with --set");
  const Ended checked = run({"data", "check", "pets.csv"});
  EXPECT_EQ(checked.code, 2) << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("1 file that cannot be read:\n  none.png does not exist\n"));
}

TEST_F(Robustness, AnOutputReplacesNothingElse) {
  save(folder_ / "kept.png", load(home("samples/cat/0.png")));
  save(folder_ / "kept.toml", load(kLab));
  fs::create_directory(folder_ / "kept");
  const std::string picture = home("samples/cat/0.png");
  for (const char* kept : {"kept.png", "kept.toml", "kept"}) {
    for (const std::vector<std::string>& verb : std::vector<std::vector<std::string>>{
             {"explain", home("run"), picture, "--to", kept},
             {"report", home("run"), "--to", kept},
             {"bench", "inference", "--seconds", "0.01", "--json", kept}}) {
      expect_complaint(run(verb), 2, std::string(kept) + " ");
    }
  }
  EXPECT_EQ(load(folder_ / "kept.toml"), load(kLab));
  for (const std::vector<std::string>& verb : std::vector<std::vector<std::string>>{
           {"explain", home("run"), picture, "--to", "page.html"},
           {"report", home("run"), "--to", "page.html"},
           {"bench", "inference", "--batch", "1", "--seconds", "0.01", "--json", "bench.json"}}) {
    EXPECT_EQ(run(verb).code, 0) << verb[0];
    EXPECT_EQ(run(verb).code, 0) << verb[0] << " over its own";
  }
}

// Tests that verbs either refuse a run's file with a changed byte, or give the same answer. With
// SLUICE_MUTATIONS=all they try every byte; otherwise a few of each file.

std::vector<std::size_t> places_to_change(std::size_t size) {
  const char* asked = getenv("SLUICE_MUTATIONS");
  const bool all = asked != nullptr && std::string(asked) == "all" && size < 1'000'000;
#ifdef SLUICE_SANITIZED
  constexpr std::size_t kSome = 8;
#else
  constexpr std::size_t kSome = 30;
#endif
  std::vector<std::size_t> places;
  std::mt19937 random(7);
  if (all || size <= kSome) {
    for (std::size_t i = 0; i < size; ++i) places.push_back(i);
  } else {
    for (std::size_t i = 0; i < kSome; ++i) places.push_back(random() % size);
  }
  return places;
}

/// Returns what verbs read from a run's file: a model's weights, or the report.
std::string answer_of(const RunFolder& run, const fs::path& file) {
  if (file.extension() != ".safetensors")
    return to_toml(run.read_experiment()) + report_html({run});
  std::string bytes;
  const auto add = [&](const Weights& weights) {
    bytes.append(reinterpret_cast<const char*>(weights.values().data()),
                 weights.values().size_bytes());
  };
  const AnyModel model = read_model(file);
  if (const auto* network = std::get_if<SavedModel>(&model)) {
    add(network->weights);
  } else {
    for (const Weights* part : std::get<SavedMixture>(model).weights.parts()) add(*part);
  }
  return bytes;
}

TEST_F(Robustness, AChangedFileOfARunIsRefusedOrGivesTheSame) {
  const fs::path place = folder_ / "run";
  fs::copy(home("run"), place, fs::copy_options::recursive);
  const RunFolder whole_run = RunFolder::open(place);
  int refused = 0;
  int same = 0;
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(place)) {
    const std::string ending = entry.path().extension();
    const bool is_shown = ending == ".png" || ending == ".html";
    if (entry.is_regular_file() && !is_shown) files.push_back(entry.path());
  }
  EXPECT_GE(files.size(), 15u);
  for (const fs::path& file : files) {
    const std::string before = load(file);
    const std::string whole = answer_of(whole_run, file);
    for (const std::size_t at : places_to_change(before.size())) {
      std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
      stream.seekp(static_cast<std::streamoff>(at));
      stream.put(static_cast<char>(before[at] ^ (1 << at % 8)));
      stream.close();
      try {
        const bool equal = answer_of(RunFolder::open(place), file) == whole;
        EXPECT_TRUE(equal) << file << " at " << at;
        same += equal;
      } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::user) << error.what();
        ++refused;
      }
      std::fstream back(file, std::ios::in | std::ios::out | std::ios::binary);
      back.seekp(static_cast<std::streamoff>(at));
      back.put(before[at]);
    }
    EXPECT_EQ(load(file) == before, true);
  }
  RecordProperty("refused", refused);
  RecordProperty("same", same);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace sluice::testing
