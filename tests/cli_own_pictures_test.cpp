// Tests the way from a folder of pictures to a run.

#include <nlohmann/json.hpp>

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
}

TEST_F(OwnPictures, TrainTakesTheFolder) {
  const Ended trained = train({"pets"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.out, HasSubstr("wrote pets.toml\n"));
  EXPECT_TRUE(fs::exists(folder_ / "run/report.html"));
  expect_complaint(train({"pets", "--data", "pets"}), 2, "give it without --data");
}

TEST_F(OwnPictures, CheckTellsEveryProblemAndWhatToDo) {
  save(pets_ / "cat/cut.png", load(pets_ / "cat/0.png").substr(0, 60));
  save(pets_ / "ship/page.jpg", "<!DOCTYPE html><html></html>");
  save(pets_ / "ship/notes.txt", "notes");
  fs::create_directories(pets_ / "__MACOSX");
  const Ended checked = run({"data", "check", "pets"});
  ASSERT_EQ(checked.code, 0) << checked.err;
  const std::string all = checked.out + checked.err;
  for (const char* told : {"cut.png", "page.jpg", "1 .txt", "\nWhat to do:\n- ",
                           "write an experiment: sluice init pets\n"}) {
    EXPECT_THAT(all, HasSubstr(told));
  }
  EXPECT_THAT(all, Not(HasSubstr("MACOSX")));
  expect_complaint(train({"pets.toml"}), 2, "pets.toml");
  expect_complaint(run({"data", "check", "nowhere"}), 2, "nowhere");
}

}  // namespace
}  // namespace sluice::testing
