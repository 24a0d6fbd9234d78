#include "data/image_folder.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "sluice/dataset.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

void save_shade(const fs::path& path, std::uint8_t shade, int side = 32) {
  fs::create_directories(path.parent_path());
  write_png(path, std::vector<std::uint8_t>(std::size_t{3} * side * side, shade), side, side);
}

/// Forty images of each of the classes "cat" (shades 0 to 39) and "dog" (from 100), four to test.
class ImageFolder : public ::testing::Test {
 protected:
  ImageFolder() {
    for (int i = 0; i < 40; ++i) {
      save_shade(train("cat", i), static_cast<std::uint8_t>(i));
      save_shade(train("dog", i), static_cast<std::uint8_t>(100 + i));
    }
    for (int i = 0; i < 4; ++i) {
      save_shade(folder_ / ("test/cat/" + std::to_string(i) + ".png"), 50);
      save_shade(folder_ / ("test/dog/" + std::to_string(i) + ".png"), 150, 40);
    }
  }

  fs::path train(const std::string& name, int i) const {
    return folder_ / ("train/" + name + "/" + std::to_string(i) + ".png");
  }
  Dataset read(const DataOptions& options = {}) const {
    return read_image_folder(folder_.path(), list_image_classes(folder_.path()), options, events_);
  }
  std::string error(const DataOptions& options = {}) const {
    return error_of(Fault::user, [&] { read(options); });
  }

  ScratchFolder folder_;
  DataEvents events_;
};

TEST_F(ImageFolder, IsReadWhole) {
  save(folder_ / "train/cat/.hidden.png", "not an image");
  save(folder_ / "train/cat/notes.txt", "not an image");
  save(folder_ / "train/readme.md", "not a class");
  fs::create_directories(folder_ / "train/.cache");
  fs::rename(train("dog", 3), folder_ / "train/dog/3.PNG");
  const Dataset data = read();
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(data.name, folder_.path().filename().string());
  EXPECT_EQ(data.train.shape, (Shape{32, 32, 3}));
  ASSERT_EQ(data.train.size(), 80u);
  ASSERT_EQ(data.test.size(), 8u);
  std::set<int> shades;
  for (std::size_t i = 0; i < data.train.size(); ++i) {
    const int shade = data.train.image(i)[0];
    EXPECT_EQ(data.train.labels[i], shade < 100 ? 0 : 1);
    shades.insert(shade);
  }
  EXPECT_EQ(shades.size(), 80u);  // every image once
  for (std::size_t i = 0; i < data.test.size(); ++i) {
    EXPECT_EQ(data.test.image(i)[3071], data.test.labels[i] == 0 ? 50 : 150);
  }
}

TEST_F(ImageFolder, TheFirstOnesAreAFixedFairSample) {
  DataOptions options;
  options.train_images = 30;
  const Dataset data = read(options);
  ASSERT_EQ(data.train.size(), 30u);
  const auto cats = std::count(data.train.labels.begin(), data.train.labels.end(), 0);
  EXPECT_GT(cats, 7);
  EXPECT_LT(cats, 23);
  EXPECT_EQ(read(options).train.pixels, data.train.pixels);
  const Dataset all = read();
  EXPECT_TRUE(
      std::equal(data.train.pixels.begin(), data.train.pixels.end(), all.train.pixels.begin()));
  options.train_images = 81;
  EXPECT_THAT(error(options), HasSubstr("data.train_images = 81, but "));
  EXPECT_THAT(error(options), HasSubstr("train has 80 images"));
  options = {};
  options.test_images = 9;
  EXPECT_THAT(error(options), HasSubstr("data.test_images = 9, but "));
}

TEST_F(ImageFolder, BrokenImagesAreNamed) {
  for (int i = 0; i < 40; ++i) save(train("dog", i), "broken");
  const std::string message = error();
  EXPECT_THAT(message, HasSubstr("[image] "));
  EXPECT_THAT(message, HasSubstr("/train/dog/"));
  EXPECT_THAT(message,
              HasSubstr(" (40 of 80 images cannot be read; data.skip_broken=true leaves "));
  for (int again = 0; again < 20; ++again) EXPECT_EQ(error(), message);
}

TEST_F(ImageFolder, BrokenImagesAreLeftOutWhereAsked) {
  const LabelledImages all = read().train;
  save(train("dog", 7), "broken");
  save(train("cat", 1), "");
  std::vector<std::string> said;
  events_.say = [&](const std::string& line) { said.push_back(line); };
  const LabelledImages images = read({.skip_broken = true}).train;
  ASSERT_EQ(images.size(), 78u);
  ASSERT_EQ(images.pixels.size(), 78u * 3072);
  for (std::size_t row = 0, kept = 0; row < all.size(); ++row) {
    const int shade = all.image(row)[0];
    if (shade == 107 || shade == 1) continue;
    EXPECT_EQ(images.image(kept)[3071], shade);
    EXPECT_EQ(images.labels[kept++], all.labels[row]);
  }
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0], HasSubstr("data: left out 2 of 80 images, such as " +
                                 folder_.path().string() + "/train/"));
  for (int i = 0; i < 4; ++i) {
    for (const char* name : {"cat", "dog"}) {
      save(folder_ / fmt::format("test/{}/{}.png", name, i), "broken");
    }
  }
  EXPECT_THAT(error({.skip_broken = true}), HasSubstr("8 of 8 images cannot be read"));
}

TEST_F(ImageFolder, TellsHowFarItIsAndCanBeStopped) {
  std::size_t last = 0;
  events_.images = [&](std::size_t done, std::size_t total) {
    EXPECT_LE(done, total);
    EXPECT_TRUE(total == 80 || total == 8);
    last = done;
  };
  read();
  EXPECT_GT(last, 0u);
  events_.images = [](std::size_t, std::size_t) { throw 7; };
  EXPECT_THROW(read(), int);
}

TEST_F(ImageFolder, TheFirstBrokenOneIsNamedWhateverTheThreadsDo) {
  const LabelledImages images = read().train;
  const auto file_of = [&](std::size_t row) {
    const int shade = images.image(row)[0];
    return shade < 100 ? train("cat", shade) : train("dog", shade - 100);
  };
  // One thread is busy with row 0 when another finds row 16 broken.
  save_shade(file_of(0), 1, 3000);
  save(file_of(1), "broken");
  save(file_of(16), "broken");
  EXPECT_THAT(error(), HasSubstr(file_of(1).string()));
}

TEST_F(ImageFolder, ClassesMustAgree) {
  save_shade(folder_ / "train/owl/1.png", 1);
  EXPECT_THAT(error(), HasSubstr("test has no folder 'owl': add one with images of this class"));
  fs::create_directories(folder_ / "test/owl");
  EXPECT_THAT(error(), HasSubstr("test/owl has no .jpg, .jpeg or .png file: add some, or remove"));
  fs::remove_all(folder_ / "train/owl");
  EXPECT_THAT(error(),
              HasSubstr("test has a folder 'owl' that is not one of the classes cat, dog"));
  EXPECT_THAT(error_of(Fault::user,
                       [&] { read_image_folder(folder_.path(), cifar10_class_names(), {}, {}); }),
              HasSubstr("train has no folder 'airplane'"));
  fs::remove_all(folder_ / "test");
  EXPECT_THAT(error(), HasSubstr("test is missing: an image folder has train/<class>/ and test/"));
  fs::remove_all(folder_ / "train/cat");
  EXPECT_THAT(error(), HasSubstr("train has 1 class folders"));
}

}  // namespace
}  // namespace sluice
