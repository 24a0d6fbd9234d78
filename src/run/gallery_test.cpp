#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "sluice/lab/run_folder.h"

namespace sluice {
namespace {

TEST(Gallery, NamesTheFilesOfItsImages) {
  // The second image is fixed: only the baseline is wrong.
  Answers answers{.class_names = {"cat", "dog"},
                  .group_names = {"one", "other"},
                  .group_of_class = {0, 1},
                  .truth = {0, 1},
                  .frozen = {1, 0, 1, 0},
                  .baseline = {1, 0, 0, 1},
                  .gate = {1, 0, 0, 1},
                  .experts = {{1, 0, 0, 1}, {1, 0, 0, 1}},
                  .importances = {{0, 1, 0, 1, 0, 1, 0, 1}, {0, 1, 0, 1, 0, 1, 0, 1}},
                  .controls = {}};
  const LabelledImages images{{1, 1, 3}, {1, 2, 3, 4, 5, 6}, {0, 1}};
  const Examples examples(images, answers.class_names);
  const auto gallery = [&] { return nlohmann::json::parse(gallery_json(answers, examples)); };
  ASSERT_EQ(gallery().size(), 1u);
  EXPECT_EQ(gallery()[0].at("image"), 1);
  EXPECT_FALSE(gallery()[0].contains("file"));
  answers.files = {"test/cat/1.jpg", "test/dog/\x1b[2J.jpg"};
  EXPECT_EQ(gallery()[0].at("file"), "test/dog/\x1b[2J.jpg");
  EXPECT_EQ(gallery_json(answers, examples).find('\x1b'), std::string::npos) << "as \\u001b";
}

TEST(Gallery, ShowsLargeAndGreyImagesSmall) {
  Answers answers{.class_names = {"cat", "dog"},
                  .group_names = {"one", "other"},
                  .group_of_class = {0, 1},
                  .truth = {1},
                  .frozen = {1, 0},
                  .baseline = {0, 1},
                  .gate = {0, 1},
                  .experts = {{0, 1}, {0, 1}},
                  .importances = {{0, 1, 0, 1}, {0, 1, 0, 1}},
                  .controls = {}};
  const auto size = [&](const Shape& shape) {
    const auto values = static_cast<std::size_t>(element_count(shape));
    const LabelledImages images{shape, std::vector<std::uint8_t>(values, 100), {1}};
    const auto gallery =
        nlohmann::json::parse(gallery_json(answers, Examples(images, answers.class_names)));
    // Base64 of a PNG file: its width and height are in bytes 16 to 23.
    const auto png = gallery.at(0).at("png").get<std::string>().substr(20, 12);
    return png;
  };
  EXPECT_EQ(size({400, 800, 3}), size({64, 128, 1}));
  EXPECT_NE(size({64, 128, 3}), size({128, 64, 3}));
  EXPECT_EQ(size({1000, 4, 3}), size({128, 1, 3})) << "at least a pixel wide";
}

TEST(Gallery, ShowsTheWorstMistakesOfEachClass) {
  // Cats are taken for dogs with 0.6 to 0.9, and a dog for a cat. One network has no groups.
  Answers answers{.class_names = {"cat", "dog"}, .group_names = {}, .group_of_class = {}};
  for (const float probability : {0.7f, 0.9f, 0.6f, 0.8f}) {
    answers.truth.push_back(0);
    answers.frozen.insert(answers.frozen.end(), {1 - probability, probability});
  }
  answers.truth.insert(answers.truth.end(), {1, 1});
  answers.frozen.insert(answers.frozen.end(), {0, 1, 4, 1});  // outputs need not sum to 1
  answers.files = {"0", "1", "2", "3", "4", "5"};
  const LabelledImages images{{1, 1, 3}, std::vector<std::uint8_t>(18, 100), answers.truth};
  const auto gallery =
      nlohmann::json::parse(gallery_json(answers, Examples(images, answers.class_names)));
  std::string told;
  for (const auto& item : gallery) {
    EXPECT_EQ(item.at("kind"), "mistake");
    EXPECT_FALSE(item.at("png").get<std::string>().empty());
    told += fmt::format("{}: {} as {} {}; ", item.at("file").get<std::string>(),
                        item.at("truth").get<int>(), item.at("predicted").get<int>(),
                        item.at("probability").get<double>());
  }
  EXPECT_EQ(told, "1: 0 as 1 0.9; 3: 0 as 1 0.8; 0: 0 as 1 0.7; 5: 1 as 0 0.8; ");
}

TEST(Gallery, ShowsOneMistakeOfEachOfManyClasses) {
  constexpr int kClasses = 100;
  Answers answers;
  for (int c = 0; c < kClasses; ++c) {
    answers.class_names.push_back(std::to_string(c));
    for (int i = 0; i < 3; ++i) {
      answers.truth.push_back(c);
      std::vector<float> scores(kClasses);
      scores[(c + 1) % kClasses] = 1;
      answers.frozen.insert(answers.frozen.end(), scores.begin(), scores.end());
    }
  }
  const LabelledImages images{{1, 1, 3}, std::vector<std::uint8_t>(9 * kClasses), answers.truth};
  const auto gallery =
      nlohmann::json::parse(gallery_json(answers, Examples(images, answers.class_names)));
  ASSERT_EQ(gallery.size(), 120u);
  std::set<int> classes;
  for (const auto& item : gallery) classes.insert(item.at("truth").get<int>());
  EXPECT_EQ(classes.size(), 100u);
}

}  // namespace
}  // namespace sluice
