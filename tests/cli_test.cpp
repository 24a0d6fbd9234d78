// Tests every verb of the command line as a user types it, including mistakes.

#include <nlohmann/json.hpp>
#include <thread>

#include "sluice/dataset.h"
#include "sluice/exchange.h"
#include "tests/command_line.h"

namespace sluice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(CommandLine, EveryVerbHasHelpWithExamplesIn80Columns) {
  for (const std::vector<std::string>& verb :
       std::vector<std::vector<std::string>>{{},
                                             {"train"},
                                             {"evaluate"},
                                             {"predict"},
                                             {"explain"},
                                             {"groups"},
                                             {"report"},
                                             {"export"},
                                             {"import"},
                                             {"summary"},
                                             {"bench"},
                                             {"data"},
                                             {"init"},
                                             {"data", "info"},
                                             {"data", "check"},
                                             {"data", "fetch"},
                                             {"data", "sample"}}) {
    auto arguments = verb;
    arguments.emplace_back("--help");
    const Ended ended = run(arguments);
    EXPECT_EQ(ended.code, 0);
    if (verb.size() < 2) {
      EXPECT_THAT(ended.out, HasSubstr("Examples:\n  sluice "));
    }
    EXPECT_LE(widest(ended.out), 80u) << ended.out;
  }
  EXPECT_EQ(run({}).out, run({"--help"}).out);
  EXPECT_EQ(run({"data"}).out, run({"data", "--help"}).out);
  EXPECT_THAT(run({"--version"}).out, StartsWith("sluice "));
}

TEST_F(CommandLine, MistakesAreOneLineAndExitCode2) {
  expect_complaint(run({"trian"}), 2, "trian");
  expect_complaint(run({"train"}), 2, "EXPERIMENT");
  expect_complaint(run({"train", "lap.toml"}), 2, "lap.toml");
  expect_complaint(run({"train", kLab, "--set", "seed"}), 2, "--set");
  expect_complaint(run({"train", kLab, "--data", "nowhere"}), 2, "nowhere");
  expect_complaint(run({"summary", "nowhere"}), 2, "nowhere");
  expect_complaint(run({"evaluate", "nowhere"}), 2, "nowhere");
  expect_complaint(run({"predict", "nowhere", "cat.png"}), 2, "nowhere");
  expect_complaint(run({"export", "nowhere"}), 2, "nowhere");
  expect_complaint(run({"export", "nowhere", "--format", "tf"}), 2, "keras, h5, onnx");
  expect_complaint(run({"import", "nowhere.keras"}), 2, "nowhere.keras");
  expect_complaint(run({"import", kLab}), 2, "lab.toml is a TOML file, not a model that Keras");
  expect_complaint(run({"evaluate", "nowhere", "--compute", "quick"}), 2, "--compute");
  expect_complaint(run({"bench", "trian"}), 2, "trian");
  expect_complaint(run({"bench", "train", "--batch", "0"}), 2, "--batch");
  expect_complaint(run({"bench", "train", "--seconds", "0.01", "--json", "no/x.json"}), 2,
                   "no/x.json");
  expect_complaint(run({"bench", "--network", "resnet"}), 2,
                   "--network resnet: is no experiment file (*.toml), and none of lab, airbench");
  expect_complaint(run({"bench", "--network", "nowhere.toml"}), 2, "nowhere.toml");
  expect_complaint(run({"bench", "joint", "--network", kLab}), 2, "leave out joint");
  expect_complaint(run({"data", "inof"}), 2, "sluice data has no verb 'inof': did you mean info?");
  expect_complaint(run({"trian"}), 2, "sluice has no verb 'trian': did you mean train?");
  expect_complaint(run({"train", kLab, "--epochs", "3"}), 2,
                   "sluice train has no option --epochs: a value of the experiment is --set "
                   "train.epochs=VALUE");
  expect_complaint(run({"train", kLab, "--profil"}), 2, "did you mean --profile?");
  expect_complaint(run({"train", kLab, "--checkpoint-steps", "0"}), 2,
                   "--checkpoint-steps: must be a whole number from 1 to 1000000000, not '0'");
  for (const char* verb : {"train", "frontier"}) {
    for (const char* wrong : {"0", "-1", "many", ""}) {
      expect_complaint(run({verb, kLab, "--parallel", wrong}), 2, "--parallel: must ");
    }
    expect_complaint(run({verb, kLab, "--parallel", "3"}, {"OMP_NUM_THREADS=2"}), 2,
                     "3 trainings beside each other: give a number from 1 to that of the OpenMP "
                     "threads, 2");
    expect_complaint(run({verb, kLab, "--parallel", "2"}, {"OMP_PROC_BIND=true"}), 2,
                     "binds all 2 trainings to the same processors: unset them");
  }
  for (const char* seconds : {"nan", "inf", "1e999", "-1", "3s", ""}) {
    expect_complaint(run({"bench", "inference", "--batch", "1", "--seconds", seconds}), 2,
                     "--seconds: must ");
  }
  for (const char* option : {"--resume", "--run", "--data", "--set"}) {
    expect_complaint(run({"train", kLab, option, ""}), 2, "must not be empty");
  }
  expect_complaint(run({"train", kLab, "--run"}), 2, "--run needs a value");
  expect_complaint(run({"data", "sample", "--count", "0"}), 2, "--count");
  EXPECT_FALSE(wrote());
}

TEST_F(CommandLine, ModelsThatTakeNoPicturesAreRefusedAtImport) {
  for (const Shape& input : {Shape{28, 28, 2}, Shape{50}, Shape{32, 32, 4}, Shape{4, 4, 3}}) {
    const Sequential model{
        "baseline", input, {Flatten{"flatten"}, Dense{"dense", 10, Activation::softmax}}};
    export_keras(folder_ / "baseline.keras", SavedModel{model, Weights(model), {}});
    expect_complaint(run({"import", "baseline.keras", "--run", "none"}), 2,
                     "baseline.keras takes " + to_string(input) +
                         ", and Sluice gives models colour pictures, (height, width, 3)");
    EXPECT_FALSE(fs::exists(folder_ / "none"));
  }
}

TEST_F(CommandLine, ClassesOfAnImportedNetwork) {
  const Sequential model{"net", {8, 8, 1}, {Flatten{"flatten"}, Dense{"dense", 3}}};
  SavedModel saved{model, Weights(model), {}};
  saved.weights.values(saved.weights.tensors()[1])[1] = 2;  // the second is the most probable
  export_keras(folder_ / "net.keras", saved);
  expect_complaint(run({"import", "net.keras"}), 2, "order of its outputs by --classes A,B,...");
  expect_complaint(run({"import", "net.keras", "--classes", "a,b"}), 2, "the output (3)");
  expect_complaint(run({"import", "net.keras", "--classes", "a,b,a"}), 2,
                   "--classes has 'a' twice");
  expect_complaint(run({"import", "net.keras", "--deviation", "0", "--classes", "c,b,a"}), 2,
                   "--deviation: write numbers above 0");
  const Ended imported =
      run({"import", "net.keras", "--run", "net", "--classes", "wolf,b=b,ape", "--input=-1..1"});
  ASSERT_EQ(imported.code, 0) << imported.err;
  EXPECT_THAT(imported.out, HasSubstr("classes:  0 wolf, 1 b=b, 2 ape\n"));

  write_png(folder_ / "grey.png", std::vector<std::uint8_t>(64 * 3, 100), 8, 8);
  save(folder_ / "list", "grey.png\r\n\nnowhere.png\n");
  const Ended predicted = run({"predict", "net", "--list", "list", "--csv"});
  EXPECT_EQ(predicted.code, 2);
  EXPECT_THAT(predicted.out, StartsWith("file,class,probability,wolf,b=b,ape\ngrey.png,b=b,"));
  EXPECT_THAT(predicted.err, HasSubstr("1 of 2 pictures could not be read"));
  const Ended json = run({"predict", "net", "grey.png", "--json"});
  EXPECT_EQ(nlohmann::json::parse(json.out)["class"], "b=b");
  expect_complaint(run({"predict", "net"}), 2, "name pictures or folders, or a file of --list");

  // The names are in every exported file, in their order.
  ASSERT_EQ(run({"export", "net"}).code, 0);
  const Ended again = run({"import", "net/export/baseline.keras", "--run", "again"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("classes:  0 wolf, 1 b=b, 2 ape\n"));
}

TEST_F(CommandLine, WhatSteersATerminalIsNotPrinted) {
  save(folder_ / "a\x1b]0;x\x07.png", "no picture");
  const Ended ended = run({"predict", "no\x1b[2Jwhere", "a\x1b]0;x\x07.png"});
  expect_complaint(ended, 2, "no?[2Jwhere does not exist");
  EXPECT_THAT(run({"train", "\x1b[31m.toml"}).err, Not(HasSubstr("\x1b")));
  EXPECT_THAT(run({"\x1b[31mtrain"}).err, Not(HasSubstr("\x1b")));
}

TEST_F(CommandLine, MistakesInAnExperimentNameFileKeyAndMendAndWriteNothing) {
  const auto train = [&](const std::string& from, const std::string& to) {
    const std::string file = experiment(from, to);
    return run({"train", file, "--data", "builtin", "--set", "train.epochs=1"});
  };
  expect_complaint(train("\nlearning_rate", "\nlearning_rat"), 2, "did you mean");
  expect_complaint(train("train_images = 5000", "train_images = -3"), 2, "train_images");
  expect_complaint(train("\"truck\"", "\"truck\", \"cat\""), 2, "'cat'");
  expect_complaint(train(", \"truck\"", ""), 2, "class 'truck' is in no group");
  expect_complaint(train("seed = 0", "seed = true"), 2, ".mine.toml:14");
  EXPECT_FALSE(wrote());
}

TEST_F(CommandLine, MoreImagesThanThereAreIsTold) {
  expect_complaint(run({"train", kLab, "--data", SLUICE_SOURCE_DIR}), 2, SLUICE_SOURCE_DIR);
  EXPECT_FALSE(wrote());
}

TEST_F(CommandLine, NoMemoryIsTold) {
#ifdef SLUICE_SANITIZED
  GTEST_SKIP() << "sanitizers reserve terabytes";
#endif
  constexpr rlim_t kTwoGigabytes = 2'000'000'000;
  Program program(folder_.path(),
                  train_short({"--data", "builtin", "--set", "train.batch_size=4096"}), {},
                  Program::Limit{RLIMIT_AS, kTwoGigabytes});
  expect_complaint(program.wait(), 1, "lower train.batch_size");
  EXPECT_FALSE(fs::exists(folder_ / "runs/lab/baseline"));
}

TEST_F(CommandLine, WhereNothingMayBeWrittenOrReadIsTold) {
  const fs::path closed = folder_ / "closed";
  fs::create_directory(closed);
  fs::permissions(closed, fs::perms::owner_read | fs::perms::owner_exec);
  expect_complaint(run(train_short({"--data", "builtin", "--run", "closed/run"})), 2,
                   "closed/run: cannot be made: Permission denied: choose a place where you have "
                   "permission");
  expect_complaint(run({"bench", "train", "--seconds", "0.01", "--json", "closed/x.json"}), 2,
                   "closed/x.json: cannot be written: Permission denied");
  save(folder_ / "images/train/cat/1.png", "");
  fs::permissions(folder_ / "images/train", fs::perms::none);
  expect_complaint(run({"train", kLab, "--data", "images"}), 2,
                   "images/train: cannot be listed: Permission denied: check its permissions");
  fs::permissions(folder_ / "images/train", fs::perms::owner_all);
}

TEST_F(CommandLine, SummaryShowsTheLabsParameters) {
  const Ended ended = run({"summary", kLab});
  EXPECT_EQ(ended.code, 0);
  for (const char* count : {"2,168,362", "2,164,258", "1,583,636", "11,836,616"}) {
    EXPECT_THAT(ended.out, HasSubstr(count));
  }
  EXPECT_LE(widest(ended.out), 80u);
}

TEST_F(CommandLine, DataIsDescribedAndSampled) {
  const Ended info = run({"data", "info", kLab, "--data", "builtin"});
  EXPECT_EQ(info.code, 0);
  EXPECT_THAT(info.out, HasSubstr("built-in images"));
  EXPECT_THAT(info.out, HasSubstr("balanced"));
  const Ended sample = run({"data", "sample", kLab, "--data", "builtin", "--count", "2"});
  EXPECT_EQ(sample.code, 0) << sample.err;
  EXPECT_TRUE(fs::exists(folder_ / "samples/cat/1.png"));
  EXPECT_FALSE(fs::exists(folder_ / "samples/cat/2.png"));
}

/// Makes a folder of a user's own pictures: one of each class in each half, all different.
void save_pictures(const fs::path& folder, const std::vector<std::string>& classes) {
  std::uint8_t shade = 0;
  for (const char* half : {"train", "test"}) {
    for (const std::string& name : classes) {
      const fs::path file = folder / half / name / "1.png";
      fs::create_directories(file.parent_path());
      write_png(file, std::vector<std::uint8_t>(48, ++shade), 4, 4);
    }
  }
}

TEST_F(CommandLine, SamplesGoToAFolder) {
  const auto sample = [&](const std::string& out) {
    return run({"data", "sample", kLab, "--data", "builtin", "--out", out});
  };
  save(folder_ / ".file", "");
  expect_complaint(sample(".file"), 2, "--out .file: cannot be made a folder: ");
  expect_complaint(sample(".file/x"), 2, "--out .file/x: cannot be made a folder: ");
  expect_complaint(sample(""), 2, "--out: must not be empty");
  EXPECT_FALSE(wrote());
  save_pictures(folder_ / "pets", {"cat", "dog"});
  const Ended ended =
      run({"data", "sample", "--data", "pets", "--set", "data.set=\"folder\"", "--out", "there"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("wrote 2 test images, up to 5 of each class, to "
                                   "there/CLASS/N.png\n"));
  EXPECT_THAT(ended.out, HasSubstr("a sheet of test images to there/samples.png\n"));
  EXPECT_TRUE(fs::exists(folder_ / "there/samples.png"));
}

TEST_F(CommandLine, BrokenPicturesAreLeftOutAsTheMessageSays) {
  save_pictures(folder_ / "pets", {"cat", "dog"});
  save(folder_ / "pets/train/cat/2.jpg", "GIF89a");
  std::vector<std::string> info{"data", "info", "--data", "pets", "--set", "data.set=\"folder\""};
  expect_complaint(
      run(info), 2,
      "pets: 1 of 5 images cannot be read: train/cat/2.jpg is cut short: replace or delete "
      "them, or leave them out with --set data.skip_broken=true");
  info.insert(info.end(), {"--set", "data.skip_broken=true"});
  const Ended ended = run(info);
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("train/cat/2.jpg is cut short\n"));
  expect_complaint(run({"data", "info", "--set", "seed=1"}), 2, "only values of [data] count");
  expect_complaint(run({"data", "info", "--set", "data.skip_brokn=true"}), 2,
                   "did you mean data.skip_broken?");
}

TEST_F(CommandLine, PicturesOfOnesOwnAreToldFromCifar) {
  save_pictures(folder_ / "pets", {"bus", "cat"});
  for (const std::vector<std::string>& verb :
       std::vector<std::vector<std::string>>{{"train", kLab}, {"data", "info"}}) {
    auto arguments = verb;
    arguments.insert(arguments.end(), {"--data", "pets"});
    expect_complaint(run(arguments), 2,
                     "pets/train has other classes than CIFAR-10's ten: if these pictures are your "
                     "own, write set = \"folder\" under [data] of the experiment, and divide "
                     "classes = [\"bus\", \"cat\"] over two or more [[groups]]");
  }
}

TEST_F(CommandLine, AGroupWithoutTestImagesIsToldBeforeTraining) {
  save_pictures(folder_ / "pets", {"bus", "cat"});
  fs::remove_all(folder_ / "pets/test/cat");
  save(folder_ / "pets.toml",
       "data.set = \"folder\"\n"
       "[[groups]]\nname = \"pets\"\nclasses = [\"cat\"]\n"
       "[[groups]]\nname = \"cars\"\nclasses = [\"bus\"]\n");
  expect_complaint(run({"train", "pets.toml", "--data", "pets"}), 2,
                   "group 'pets' has no test image, which its expert needs: add some of one of its "
                   "classes");
  EXPECT_FALSE(fs::exists(folder_ / "runs"));
}

TEST_F(CommandLine, ADownloadOfTheWrongFileIsTheMachinesFault) {
  save(folder_ / ".archive", "not the archive");
  const std::string url = "file://" + (folder_ / ".archive").string();
  expect_complaint(run({"data", "fetch", "--url", url}, {"XDG_CACHE_HOME=.cache"}), 1,
                   "c32a1d4ab5d03f1284b67883e8d87530");
}

TEST_F(CommandLine, WithoutGnuplotARunEndsWellAndSaysWhatIsMissing) {
  const Ended ended = run(train_short({"--data", "builtin"}), {"PATH="});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("gnuplot is missing"));
  EXPECT_TRUE(fs::exists(folder_ / "runs/lab/results.json"));
  EXPECT_FALSE(fs::exists(folder_ / "runs/lab/figures/samples.png"));
}

TEST_F(CommandLine, AGnuplotThatFailsCostsPicturesAndNotTheRun) {
  const fs::path broken = folder_ / ".bin/gnuplot";
  save(broken, "#!/bin/sh\necho no fonts at all >&2\nexit 1\n");
  fs::permissions(broken, fs::perms::owner_all);
  const std::string path = "PATH=" + broken.parent_path().string() + ":" + getenv("PATH");
  const Ended ended = run(train_short({"--data", "builtin"}), {path});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("no picture: "));
  EXPECT_THAT(ended.out, HasSubstr("no fonts at all"));
  EXPECT_TRUE(fs::exists(folder_ / "runs/lab/results.json"));
}

TEST_F(CommandLine, CtrlCEndsWithinAStepAndKeepsWhatWasFinished) {
  auto arguments = train_short({"--data", "builtin"});
  arguments.insert(arguments.end(), {"--set", "train.epochs.gate=10000"});
  Program program(folder_.path(), arguments);
  const fs::path started = folder_ / "runs/lab/expert-natural/model.safetensors";
  for (int tenths = 0; !fs::exists(started) && tenths < 1200; ++tenths) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  std::this_thread::sleep_for(std::chrono::seconds(2));  // during the gate's 10,000 epochs
  program.signal(SIGINT);
  const Ended ended = program.wait();
  expect_complaint(ended, 130, "stopped by Ctrl-C");
  EXPECT_THAT(
      ended.out,
      HasSubstr("not finished: runs/lab: kept baseline, expert-artificial, expert-natural"));
  EXPECT_FALSE(fs::exists(folder_ / "runs/lab/results.json"));

  // The parts that exist are usable, and missing ones are named.
  const Ended evaluated = run({"evaluate", "runs/lab", "--data", "builtin"});
  EXPECT_EQ(evaluated.code, 0) << evaluated.err;
  EXPECT_THAT(evaluated.out, HasSubstr("not in this run: gate, mixture"));
  run({"data", "sample", kLab, "--data", "builtin", "--count", "1"});
  const Ended predicted = run({"predict", "runs/lab", "samples/cat/0.png"});
  EXPECT_THAT(predicted.out, StartsWith("samples/cat/0.png\n  baseline "));
}

TEST_F(CommandLine, RealDataIsUsedWhereThereIsSome) {
#ifdef SLUICE_SANITIZED
  GTEST_SKIP() << "what it learns is the same, and takes minutes";
#endif
  if (getenv("SLUICE_DATA") == nullptr) GTEST_SKIP() << "SLUICE_DATA is not set";
  auto arguments = train_short({});
  arguments.insert(arguments.end(), {"--set", "data.train_images=1500", "--set",
                                     "data.test_images=400", "--set", "train.epochs.experts=4"});
  const Ended ended = run(arguments);
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("SLUICE_DATA"));
  const auto json = nlohmann::json::parse(load(folder_ / "runs/lab/results.json"));
  // Four classes: guessing gives a quarter, and so would wrong labels or pixels.
  EXPECT_GT(json["experts"]["artificial"]["accuracy"].get<double>(), 0.4);
}

TEST_F(CommandLine, ThreadsWaitBrieflyUnlessTheUserSaysHow) {
#ifdef __clang__
  GTEST_SKIP() << "its OpenMP is another one";
#endif
  const auto told = [&](const std::string& own) {
    // GCC treats a variable without a value as unset.
    const std::string text =
        run({"--version"}, {"OMP_DISPLAY_ENV=verbose", "OMP_WAIT_POLICY", own}).err;
    return text.substr(text.rfind("OPENMP DISPLAY ENVIRONMENT BEGIN"));
  };
  EXPECT_THAT(told("A=B"), HasSubstr("GOMP_SPINCOUNT = '1000'"));
  EXPECT_THAT(told("GOMP_SPINCOUNT=77"), HasSubstr("GOMP_SPINCOUNT = '77'"));
  EXPECT_THAT(told("OMP_WAIT_POLICY=passive"), HasSubstr("GOMP_SPINCOUNT = '0'"));
}

TEST_F(CommandLine, BenchMeasuresAndSaysHow) {
  const Ended ended = run({"bench", "joint", "train", "--batch", "8", "--seconds", "0.05",
                           "--compute", "exact", "--json", "bench.json"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_LE(widest(ended.out), 80u);
  EXPECT_THAT(ended.out, HasSubstr("compute: exact\n"));
  EXPECT_THAT(ended.out, HasSubstr("joint, batch 8: milliseconds per step\n"));
  EXPECT_THAT(ended.out, Not(HasSubstr("inference")));
  const auto json = nlohmann::json::parse(load(folder_ / "bench.json"));
  EXPECT_GT(json["machine"]["gflops"], 0);
  EXPECT_GT(json["machine"]["gigabytes_a_second"], 0);
  ASSERT_EQ(json["works"].size(), 2u);
  for (const auto& work : json["works"]) {
    EXPECT_EQ(work["batch"], 8);
    EXPECT_EQ(work["compute"], "exact");
    EXPECT_GT(work["images_per_second"], 0);
    EXPECT_GT(work["median_ms"], 0);
    EXPECT_FALSE(work["layers"].empty());
  }
}

TEST_F(CommandLine, BenchMeasuresTheNetworkOfAnExperiment) {
  const fs::path pays = fs::path(kLab).parent_path() / "pays.toml";
  const Ended ended = run({"bench", "--network", pays.string(), "--batch", "8", "--seconds", "0.05",
                           "--json", "bench.json"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("block1.conv2"));
  const auto json = nlohmann::json::parse(load(folder_ / "bench.json"));
  ASSERT_EQ(json["works"].size(), 2u);  // train, inference
  EXPECT_EQ(json["works"][0]["network"], pays.string());
}

}  // namespace
}  // namespace sluice::testing
