#include "data/image_folder.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "base/parallel.h"
#include "data/folder_files.h"
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

/// Forty training images each of the classes "cat" (shades 0 to 39) and "dog" (from 100), and four
/// test images.
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
  std::vector<std::string> said(const DataOptions& options = {}) {
    std::vector<std::string> lines;
    events_.say = [&](const std::string& line) { lines.push_back(line); };
    read(options);
    events_.say = nullptr;
    return lines;
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
  fs::rename(train("dog", 4), folder_ / "train/dog/4.jpeg");
  fs::rename(train("dog", 5), folder_ / "train/dog/5.jpg");
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
  EXPECT_EQ(shades.size(), 80u);  // every image occurs once
  for (std::size_t i = 0; i < data.test.size(); ++i) {
    EXPECT_EQ(data.test.image(i)[3071], data.test.labels[i] == 0 ? 50 : 150);
  }
}

TEST_F(ImageFolder, ImagesKeepTheNamesOfTheirFiles) {
  const Dataset data = read();
  ASSERT_EQ(data.train.files.size(), 80u);
  for (std::size_t i = 0; i < data.train.size(); ++i) {
    const int shade = data.train.image(i)[0];
    EXPECT_EQ(data.train.files[i], shade < 100 ? fmt::format("train/cat/{}.png", shade)
                                               : fmt::format("train/dog/{}.png", shade - 100));
  }
  const Examples test(data.test, data.class_names);
  EXPECT_THAT(test.after_split(0.5).file(0), ::testing::StartsWith("test/"));
  EXPECT_EQ(test.after_split(0.5).file(0), data.test.files[4]);
}

TEST_F(ImageFolder, WhatSystemsLeaveBehindIsNoClassAndNoFile) {
  for (const char* litter : {"__MACOSX/cat/1.jpg", "train/__MACOSX/._1.jpg", "train/@eaDir/1.jpg",
                             "train/cat/@eaDir/1.jpg/SYNO.jpg", "train/cat/Thumbs.db",
                             "train/cat/.DS_Store", "train/cat/._1.png", "train/.git/HEAD",
                             "train/desktop.ini", "test/dog/thumbs.DB", "test/__macosx/x"}) {
    save(folder_ / litter, "litter");
  }
  EXPECT_THAT(said(), ::testing::IsEmpty());
  EXPECT_EQ(read().train.size(), 80u);
  EXPECT_THAT(read().left_out, ::testing::IsEmpty());
}

TEST_F(ImageFolder, FilesThatAreNotReadAreCountedByKind) {
  save(folder_ / "train/cat/1.webp", "");
  save(folder_ / "train/cat/2.WEBP", "");
  save(folder_ / "test/dog/1.bmp", "");
  save(folder_ / "test/dog/3.webp", "");
  save(folder_ / "train/dog/README", "");
  save(folder_ / "train/dog/more/1.jpg", "");
  save(folder_ / "train/dog/more/still/2.jpg", "");
  save(folder_ / "train/dog/more/.DS_Store", "litter");
  save(folder_ / "train/dog/more/@eaDir/1.jpg", "litter");
  save(folder_ / "train/list.txt", "");
  EXPECT_THAT(said(), ::testing::ElementsAre(
                          "data: 8 files left out: 1 .bmp, 3 .webp, 2 in folders below a class, 1 "
                          "outside a class folder, 1 without an ending (.jpg, .jpeg and .png in "
                          "a class folder are read)"));
  EXPECT_EQ(read().left_out, (LeftOut{{".bmp", 1},
                                      {".webp", 3},
                                      {"in folders below a class", 2},
                                      {"outside a class folder", 1},
                                      {"without an ending", 1}}));
}

TEST_F(ImageFolder, NoClassVanishesFromASubset) {
  save_shade(folder_ / "train/owl/1.png", 200);
  save_shade(folder_ / "train/owl/2.png", 201);
  save_shade(folder_ / "test/owl/1.png", 202);
  for (int wanted = 3; wanted <= 82; ++wanted) {
    const std::vector<int> labels = read({.train_images = wanted}).train.labels;
    EXPECT_EQ(labels.size(), std::size_t(wanted));
    EXPECT_EQ(std::set<int>(labels.begin(), labels.end()).size(), 3u) << wanted;
  }
  EXPECT_THAT(
      error({.train_images = 2}),
      HasSubstr("data.train_images = 2, but there are 3 classes: ask for at least that many"));
  // One of nine test images has the third class; two can be of two classes alone.
  EXPECT_EQ(read({.test_images = 2}).test.size(), 2u);
}

TEST(ChooseImages, TakesTheFirstOfAFixedShuffleAndReplacesNoMoreThanItMust) {
  std::vector<ImageFile> images;
  for (int i = 0; i < 1000; ++i) images.push_back({std::to_string(i), i % 10});
  images.push_back({"rare", 10});
  const std::vector<ImageFile> all = choose(images, images.size(), 11);
  // The lab's figures on an image folder depend on this order, so it must not change.
  EXPECT_EQ(all[0].path, "529");
  const std::vector<ImageFile> some = choose(images, 100, 11);
  int replaced = 0;
  for (std::size_t i = 0; i < some.size(); ++i) {
    if (some[i].path == all[i].path) continue;
    EXPECT_EQ(some[i].path, "rare");
    ++replaced;
  }
  EXPECT_LE(replaced, 1);
  const std::vector<ImageFile> few = choose(images, 11, 11);
  std::set<int> labels;
  for (const ImageFile& image : few) labels.insert(image.label);
  EXPECT_EQ(labels.size(), 11u);
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

TEST_F(ImageFolder, BrokenImagesOfBothHalvesAreToldAtOnceByWhatIsWrong) {
  for (int i = 10; i < 16; ++i) save(train("dog", i), "....ftypheic");
  save(train("cat", 3), "");
  save(folder_ / "test/dog/2.png", "<!DOCTYPE html>");
  const std::string png = load(train("cat", 1));
  save(train("cat", 1), png.substr(0, png.size() - 20));
  fs::remove(train("dog", 1));
  fs::create_symlink("nowhere", train("dog", 1));
  const std::string message =
      "[image] " + folder_.path().string() +
      ": 10 of 88 images cannot be read: train/cat/1.png is cut short; train/cat/3.png is empty; "
      "train/dog/1.png does not exist; train/dog/10.png is a HEIC picture, which Sluice does not "
      "read (and 5 more: train/dog/11.png, "
      "train/dog/12.png, ...); test/dog/2.png is a page of HTML or XML, not a picture: replace or "
      "delete them, or leave them out "
      "with --set data.skip_broken=true";
  for (int again = 0; again < 5; ++again) EXPECT_EQ(error(), message);
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
    EXPECT_EQ(images.files[kept], all.files[row]);
    EXPECT_EQ(images.labels[kept++], all.labels[row]);
  }
  EXPECT_THAT(said, ::testing::ElementsAre(
                        "data: broken images are left out: 2 of 88 images cannot be read: "
                        "train/cat/1.png is empty; train/dog/7.png is a text, not a picture"
                        ""));
  EXPECT_EQ(read({.skip_broken = true}).left_out, (LeftOut{{"broken", 2}}));
  save(folder_ / "test/dog/2.png", "");
  EXPECT_EQ(read({.skip_broken = true}).left_out, (LeftOut{{"broken", 3}})) << "of both halves";
}

TEST_F(ImageFolder, ADiskThatCannotBeReadIsNoBrokenImage) {
  fs::remove(train("dog", 7));
  fs::create_symlink("/proc/self/mem", train("dog", 7));  // reading at 0 fails
  EXPECT_THAT(error_of(Fault::machine, [&] { read({.skip_broken = true}); }),
              HasSubstr("train/dog/7.png"));
}

TEST_F(ImageFolder, AClassIsNotToLoseAllItsTrainingImages) {
  for (int i = 0; i < 40; ++i) save(train("cat", i), "....ftypheic");
  EXPECT_THAT(
      error({.skip_broken = true}),
      HasSubstr("data.skip_broken leaves no training image of 'cat', because 40 of 80 images "
                "cannot be read: train/cat/0.png is a HEIC picture, which Sluice does not read "
                "(and 39 more: "));
  for (int i = 0; i < 40; ++i) {
    fs::rename(train("cat", i), train("cat", i).replace_extension(".webp"));
  }
  EXPECT_THAT(error(), HasSubstr("train/cat has no .jpg, .jpeg or .png file, but 40 .webp: add "
                                 "some, or delete the class in train and in test"));
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
  std::vector<std::size_t> told;
  events_.images = [&](std::size_t done, std::size_t) { told.push_back(done); };
  {
    const ThreadTeam alone(1);
    read();
  }
  EXPECT_THAT(told, ::testing::ElementsAre(16, 32, 48, 64, 80, 8));
  events_.images = [](std::size_t, std::size_t) { throw 7; };
  EXPECT_THROW(read(), int);
}

TEST_F(ImageFolder, AClassMayLackTestImages) {
  save_shade(folder_ / "train/owl/1.png", 1);
  EXPECT_EQ(read().test.size(), 8u);
  fs::create_directories(folder_ / "test/owl");
  EXPECT_EQ(read().test.size(), 8u);
}

TEST_F(ImageFolder, AFolderOfTestThatIsNoClassIsNamedWithTheClassThatWasMeant) {
  const auto refused = [&](const std::string& name, const std::string& mend) {
    save_shade(folder_ / "test" / name / "1.png", 1);
    EXPECT_THAT(error(), HasSubstr("test has a folder '" + name +
                                   "' that is not one of the classes " + mend));
    fs::remove_all(folder_ / "test" / name);
  };
  refused("zebra", "cat, dog: remove it");
  refused("Dog", "cat, dog: did you mean 'dog'? rename it, or remove it");
  refused("dogs", "cat, dog: did you mean 'dog'?");
  save_shade(folder_ / "train/caf\xc3\xa9/1.png", 1);
  refused(
      "cafe\xcc\x81",
      "caf\xc3\xa9, cat, dog: did you mean 'caf\xc3\xa9', which Unicode writes in other bytes?");
}

TEST_F(ImageFolder, AHalfThatIsMissingIsToldWithWhatIsThere) {
  const std::string place = folder_.path().string();
  fs::rename(folder_ / "test", folder_ / "Validation");
  EXPECT_EQ(error(), "[data] " + place +
                         "/test is missing (found Validation, train): did you mean "
                         "Validation? rename it to test");
  fs::rename(folder_ / "Validation", folder_ / "VAL");
  save(folder_ / "Test/cat/1.jpg", "");
  EXPECT_THAT(error(), HasSubstr("(found Test, VAL, train): did you mean Test? rename it to test"));
  fs::remove_all(folder_ / "Test");
  fs::remove_all(folder_ / "VAL");
  EXPECT_THAT(error(), HasSubstr("(found train): put the images of each class into test/CLASS"));
  fs::rename(folder_ / "train", folder_ / "Train");
  EXPECT_THAT(error(), HasSubstr("train is missing (found Train): did you mean Train? rename it"));
}

TEST_F(ImageFolder, NeedsTwoClasses) {
  fs::remove_all(folder_ / "train/cat");
  EXPECT_THAT(error(), HasSubstr("train has one class folder: put the images of each of two"));
  fs::remove_all(folder_ / "train/dog");
  EXPECT_THAT(error(), HasSubstr("train has no class folder: put the images of each of two"));
}

TEST_F(ImageFolder, TheTestHalfAloneNeedsNoTrainingHalf) {
  const LabelledImages both = read().test;
  fs::remove_all(folder_ / "train");
  const std::vector<std::string> classes{"cat", "dog"};
  const Dataset data = read_image_folder(folder_.path(), classes, {}, {}, Halves::test);
  EXPECT_EQ(data.test.pixels, both.pixels);
  EXPECT_EQ(data.test.labels, both.labels);
  EXPECT_EQ(data.train.size(), 0u);
}

}  // namespace
}  // namespace sluice
