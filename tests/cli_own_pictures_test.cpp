// Tests the way from a folder of pictures to a run.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sluice/dataset.h"
#include "tests/command_line.h"

namespace sluice::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

/// A folder of three classes, five pictures each, without halves.
class OwnPictures : public CommandLine {
 protected:
  void SetUp() override {
    run({"data", "sample", "--data", "builtin", kLab, "--out", "samples"});
    for (const char* name : {"cat", "ship", "truck"}) {
      fs::create_directories(pets_ / name);
      fs::copy(folder_ / "samples" / name, pets_ / name);
    }
  }
  Ended train(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "train");
    arguments.insert(arguments.end(), {"--set", "train.epochs=1", "--run", "run"});
    return run(arguments);
  }

  fs::path pets_ = folder_ / "pets";
};

TEST_F(OwnPictures, InitWritesAnExperimentThatTrains) {
  const Ended written = run({"init", "pets"});
  ASSERT_EQ(written.code, 0) << written.err;
  EXPECT_LE(widest(written.out), 80u);
  EXPECT_THAT(written.out, HasSubstr("sluice train pets.toml --data pets"));
  const std::string text = load(folder_ / "pets.toml");
  EXPECT_THAT(text, HasSubstr("# Found: 3 classes; "));
  EXPECT_THAT(text, HasSubstr("image_size = 32\n"));
  expect_complaint(run({"init", "pets"}), 2, "pets.toml exists: train it with");
  EXPECT_EQ(load(folder_ / "pets.toml"), text);

  const Ended trained = train({"pets.toml", "--data", "pets"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  const nlohmann::json json = nlohmann::json::parse(load(folder_ / "run/results.json"));
  EXPECT_EQ(json["data"]["class_names"], (std::vector<std::string>{"cat", "ship", "truck"}));
  const Ended evaluated = run({"evaluate", "run"});
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  const Ended predicted = run({"predict", "run", "pets/ship/2.png", "pets/cat", "--json"});
  ASSERT_EQ(predicted.code, 0) << predicted.err;
  std::istringstream lines(predicted.out);
  std::vector<std::string> files;
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json answer = nlohmann::json::parse(line);
    files.push_back(answer["file"]);
    EXPECT_EQ(answer["probabilities"].size(), 3u);
    const std::string name = answer["class"];
    for (const auto& [other, probability] : answer["probabilities"].items()) {
      EXPECT_LE(probability, answer["probabilities"][name]) << other;
    }
  }
  ASSERT_EQ(files.size(), 6u);
  EXPECT_EQ(files[0], "pets/ship/2.png");
  EXPECT_EQ(files[5], "pets/cat/4.png");
}

TEST_F(OwnPictures, TrainTakesTheFolder) {
  const Ended trained = train({"pets"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.out, HasSubstr("wrote pets.toml\n"));
  EXPECT_TRUE(fs::exists(folder_ / "run/report.html"));
  expect_complaint(train({"pets", "--data", "pets"}), 2, "pets is data: give it without --data");
}

TEST_F(OwnPictures, TrainTakesATable) {
  std::string rows;
  for (const char* name : {"cat", "ship"}) {
    for (int i = 0; i < 5; ++i) rows += fmt::format("pets/{0}/{1}.png,{0}\n", name, i);
  }
  save(folder_ / "list.csv", rows);
  const Ended trained = train({"list.csv"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.out, HasSubstr("wrote list.toml\n"));
  EXPECT_THAT(load(folder_ / "run/gallery.json"), HasSubstr("\"file\": \"pets/"));
  EXPECT_THAT(load(folder_ / "run/predictions.csv"), HasSubstr(",pets/cat/"));
}

TEST_F(OwnPictures, CheckTellsEveryProblemAndWhatToDo) {
  save(pets_ / "cat/cut.png", load(pets_ / "cat/0.png").substr(0, 60));
  save(pets_ / "ship/page.jpg", "<!DOCTYPE html><html></html>");
  save(pets_ / "ship/notes.txt", "notes");
  save(pets_ / "__MACOSX/x", "");
  fs::copy(pets_ / "cat/1.png", pets_ / "cat/1 again.png");
  const Ended checked = run({"data", "check", "pets"});
  expect_complaint(checked, 2, "pets: training refuses these data as they are");
  EXPECT_LE(widest(checked.out), 80u) << checked.out;
  EXPECT_THAT(checked.out, HasSubstr("1 .txt"));
  for (const char* told :
       {"2 files that cannot be read:\n  cat/cut.png is cut short\n  ship/page.jpg is a page",
        "1 file or folder of a system, ignored:\n  __MACOSX\n", "Pictures have 32 x 32 pixels.\n",
        "cat/1 again.png", "\nWhat to do:\n- ", "\n- delete the ",
        "- check again: sluice data check pets\n"}) {
    EXPECT_THAT(checked.out + checked.err, HasSubstr(told));
  }
  fs::remove(pets_ / "cat/cut.png");
  fs::remove(pets_ / "ship/page.jpg");
  const Ended mended = run({"data", "check", "pets"});
  ASSERT_EQ(mended.code, 0) << mended.err;
  EXPECT_THAT(mended.out, HasSubstr("- write an experiment: sluice init pets\n"));
}

TEST_F(OwnPictures, CheckGoesOnAfterGraveProblems) {
  for (const char* half : {"train", "test"}) {
    fs::create_directories(folder_ / "halves" / half);
    for (const char* name : {"cat", "ship", "truck"}) {
      fs::copy(pets_ / name, folder_ / "halves" / half / name);
    }
  }
  const fs::path halves = folder_ / "halves";
  fs::rename(halves / "test/ship", halves / "test/Ship");
  for (int i = 0; i < 5; ++i) save(halves / fmt::format("train/cat/{}.png", i), "");
  std::vector<std::uint8_t> wide(std::size_t{3} * 400 * 100);
  for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = static_cast<std::uint8_t>(i);
  write_png(halves / "train/truck/wide.png", wide, 100, 400);
  const Ended checked = run({"data", "check", "halves"});
  EXPECT_EQ(checked.code, 2) << checked.err;
  for (const char* told :
       {"5 files that cannot be read:", "1 class without a training image:\n  cat\n",
        "1 folder that is no class:\n  halves/test has a folder 'Ship'", "did you mean 'ship'?",
        "1 class without a test image:\n  ship\n",
        "5 images of train that test or validate:\n  test/truck/", "32 x 32 to 400 x 100 pixels",
        "- sizes are far apart", "pictures are not square",
        "- check again: sluice data check halves\n"}) {
    EXPECT_THAT(checked.out, HasSubstr(told));
  }
  for (int i = 0; i < 20; ++i) save(halves / fmt::format("train/ship/more{}.png", i), "");
  EXPECT_THAT(run({"data", "check", "halves"}).out,
              HasSubstr("  ... and 15 more, which --all lists\n"));
  EXPECT_THAT(run({"data", "check", "halves", "--all"}).out, Not(HasSubstr("which --all lists")));
  expect_complaint(run({"data", "check", "nowhere"}), 2, "nowhere");
}

}  // namespace
}  // namespace sluice::testing
