#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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

}  // namespace
}  // namespace sluice
