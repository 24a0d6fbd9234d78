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
  Dataset read(DataOptions options = {}) const {
    options.set = "folder";
    const FolderLayout layout = find_layout(folder_.path()).value();
    return read_image_folder(layout, list_image_classes(layout), options, events_);
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

TEST_F(ImageFolder, PicturesBelowFoldersOfAClassBelongToIt) {
  for (const int i : {1, 2}) {
    fs::create_directories(folder_ / "train/cat/more/still");
    fs::rename(train("cat", i), folder_ / ("train/cat/more/still/" + std::to_string(i) + ".png"));
  }
  fs::create_directory_symlink("..", folder_ / "train/cat/more/cycle");
  const Dataset data = read();
  EXPECT_EQ(data.train.size(), 80u);
  EXPECT_EQ(std::ranges::count(data.train.files, "train/cat/more/still/1.png"), 1);
}

TEST_F(ImageFolder, FirstBytesMakeAPictureOfAFileWithoutItsEnding) {
  fs::rename(train("cat", 1), folder_ / "train/cat/1");
  fs::rename(train("cat", 2), folder_ / "train/cat/2.image");
  save(folder_ / "train/cat/BMW.txt", "BM are the first letters of this text");
  EXPECT_EQ(read().train.size(), 80u);
  EXPECT_EQ(read().left_out, (LeftOut{{".txt", 1}}));
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
  save(folder_ / "train/cat/1.pdf", "");
  save(folder_ / "train/cat/2.PDF", "");
  save(folder_ / "test/dog/1.mp4", "");
  save(folder_ / "train/dog/README", "");
  save(folder_ / "train/dog/more/1.pdf", "");
  save(folder_ / "train/dog/more/.DS_Store", "litter");
  save(folder_ / "train/dog/more/@eaDir/1.jpg", "litter");
  save(folder_ / "train/list.txt", "");
  save(folder_ / "unlabelled/deep/1.jpg", "");
  save(folder_ / "labels.csv", "");
  EXPECT_THAT(said(), ::testing::ElementsAre(
                          "data: 8 files left out: 1 .mp4, 3 .pdf, 2 beside the halves, 1 outside "
                          "a class folder, 1 without an ending"));
  EXPECT_EQ(read().left_out, (LeftOut{{".mp4", 1},
                                      {".pdf", 3},
                                      {"beside the halves", 2},
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

TEST(ChooseImages, TakesTheFirstOfAFixedShuffleOrAStratifiedSample) {
  std::vector<ImageFile> images;
  for (int i = 0; i < 1000; ++i) images.push_back({std::to_string(i), i % 10});
  images.push_back({"rare", 10});
  const std::vector<ImageFile> all = choose(images, images.size(), false);
  // The lab's figures on an image folder depend on this order, so it must not change.
  EXPECT_EQ(all[0].path, "529");
  const std::vector<ImageFile> some = choose(images, 100, false);
  for (std::size_t i = 0; i < some.size(); ++i) EXPECT_EQ(some[i].path, all[i].path);
  std::vector<int> counts(11);
  for (const ImageFile& image : choose(images, 101, true)) ++counts[image.label];
  EXPECT_EQ(counts, (std::vector<int>{10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 1}));
}

TEST(ChooseImages, TheEndOfAStratifiedSampleHasAllClasses) {
  std::vector<ImageFile> images;
  for (int i = 0; i < 4000; ++i) images.push_back({std::to_string(i), i % 10});
  const std::vector<ImageFile> sample = choose(images, 400, true);
  std::set<int> last;  // of the last tenth, as train.validation_split takes it
  for (std::size_t i = 360; i < 400; ++i) last.insert(sample[i].label);
  EXPECT_EQ(last.size(), 10U);
}

TEST_F(ImageFolder, ASampleHasTheSharesOfTheClasses) {
  DataOptions options;
  options.train_images = 30;
  const Dataset data = read(options);
  ASSERT_EQ(data.train.size(), 30u);
  EXPECT_EQ(std::ranges::count(data.train.labels, 0), 15);
  EXPECT_EQ(read(options).train.pixels, data.train.pixels);
  options.train_images = 81;
  EXPECT_THAT(error(options), HasSubstr("data.train_images = 81, but "));
  EXPECT_THAT(error(options), HasSubstr(" has 80 images"));
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
      HasSubstr("no training image of 'cat' can be read: 40 of 88 images cannot be read: "
                "train/cat/0.png is a HEIC picture, which Sluice does not read (and 39 more: "));
  EXPECT_EQ(error(), error({.skip_broken = true})) << "the mend is not to skip them";
  for (int i = 0; i < 40; ++i) {
    save(train("cat", i).replace_extension(".txt"), "");
    fs::remove(train("cat", i));
  }
  EXPECT_THAT(error(), HasSubstr("train/cat has no picture, but 40 .txt: add some, or delete the "
                                 "class in every half"));
  fs::create_directories(folder_ / "train/owl");
  fs::create_directories(folder_ / "train/yak");
  EXPECT_THAT(error(), HasSubstr("train/cat has no picture, but 40 .txt (nor have owl, yak): add"));
}

TEST_F(ImageFolder, TellsHowFarItIsAndCanBeStopped) {
  std::size_t last = 0;
  events_.images = [&](std::size_t done, std::size_t total) {
    EXPECT_LE(done, total);
    EXPECT_TRUE(total == 80 || total == 8) << total;
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
  std::vector<std::size_t> due;
  for (const std::size_t total : {80, 8}) {
    for (std::size_t done = 4; done <= total; done += 4) due.push_back(done);
  }
  EXPECT_EQ(told, due);
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
  refused("zebra", "cat, dog: put training images of it into " +
                       (folder_ / "train/zebra").string() + ", or remove it");
  fs::create_directories(folder_ / "test/nothing/in it");
  EXPECT_EQ(read().test.size(), 8u);
  refused("Dog", "cat, dog: did you mean 'dog'? rename it, or remove it");
  refused("dogs", "cat, dog: did you mean 'dog'?");
  save_shade(folder_ / "train/caf\xc3\xa9/1.png", 1);
  refused(
      "cafe\xcc\x81",
      "caf\xc3\xa9, cat, dog: did you mean 'caf\xc3\xa9', which Unicode writes in other bytes?");
}

TEST_F(ImageFolder, AClassOfARunCannotBeAdded) {
  save_shade(folder_ / "test/zebra/1.png", 1);
  const FolderLayout layout = find_layout(folder_.path()).value();
  EXPECT_THAT(
      error_of(Fault::user,
               [&] {
                 read_image_folder(layout, {"cat", "dog"}, {.set = "folder"}, {}, Halves::test);
               }),
      ::testing::EndsWith("not one of the classes cat, dog: remove it"));
}

TEST_F(ImageFolder, AllProblemsAreReportedWhereTheyAreCollected) {
  save(train("cat", 3), "");
  save(folder_ / "test/dog/2.png", "<!DOCTYPE html>");
  save_shade(folder_ / "test/zebra/1.png", 1);
  save_shade(folder_ / "test/Dog/1.png", 1);
  save(folder_ / "train/cat/@eaDir/1.jpg", "litter");
  fs::create_directories(folder_ / "train/owl");
  std::vector<std::pair<DataProblem::Kind, std::string>> problems;
  events_.problem = [&](const DataProblem& each) { problems.emplace_back(each.kind, each.what); };
  const Dataset data = read();
  EXPECT_EQ(data.train.size(), 79u);
  EXPECT_EQ(data.left_out, (LeftOut{{"broken", 2}}));
  ASSERT_EQ(problems.size(), 5u);
  using Kind = DataProblem::Kind;
  EXPECT_EQ(problems[0].first, Kind::no_class);
  EXPECT_THAT(problems[0].second, HasSubstr("test has a folder 'Dog' that is not one of"));
  EXPECT_THAT(problems[1].second, HasSubstr("test has a folder 'zebra' that is not one of"));
  EXPECT_EQ(problems[2], (std::pair(Kind::litter, std::string("train/cat/@eaDir"))));
  EXPECT_EQ(problems[3], (std::pair(Kind::broken, std::string("train/cat/3.png is empty"))));
  EXPECT_EQ(problems[4].first, Kind::broken);
}

TEST_F(ImageFolder, HalvesHaveAnyOfTheirUsualNames) {
  const Dataset data = read();
  fs::rename(folder_ / "train", folder_ / "Training");
  fs::rename(folder_ / "test", folder_ / "TEST");
  EXPECT_EQ(read().train.pixels, data.train.pixels);
  EXPECT_EQ(read().test.pixels, data.test.pixels);
  save_shade(folder_ / "train/cat/1.png", 1);
  EXPECT_THAT(error(), HasSubstr("has Training and train: leave one of them"));
}

TEST_F(ImageFolder, HalvesOfAnotherNameAreToldFromClasses) {
  EXPECT_THAT(said(), ::testing::IsEmpty());
  fs::rename(folder_ / "train", folder_ / "learn");
  fs::rename(folder_ / "test", folder_ / "exam");
  EXPECT_THAT(said(), ::testing::Contains("data: the classes exam and learn have the same folders "
                                          "(cat, dog): if they are halves, name them train and "
                                          "test"));
}

TEST_F(ImageFolder, AValidationHalfValidates) {
  const Dataset before = read();
  for (const char* name : {"val", "Valid", "validation"}) {
    fs::remove_all(folder_ / "val");
    fs::remove_all(folder_ / "Valid");
    save_shade(folder_ / name / "cat/1.png", 40);
    save_shade(folder_ / name / "dog/2.png", 41);
    save_shade(folder_ / name / "dog/more/3.png", 42);
    const Dataset data = read();
    EXPECT_EQ(data.validation.size(), 3u) << name;
    EXPECT_EQ(data.train.pixels, before.train.pixels);
    EXPECT_EQ(data.test.pixels, before.test.pixels);
  }
  EXPECT_THAT(error({.validation_split = 0.1}),
              HasSubstr("has validation images of its own: leave out the key"));
}

TEST_F(ImageFolder, WithoutATestHalfAShareOfEachClassTests) {
  const std::vector<std::string> tested = [&] {
    fs::remove_all(folder_ / "test");
    const Dataset data = read();
    EXPECT_EQ(data.train.size() + data.test.size(), 80u);
    EXPECT_NEAR(static_cast<double>(data.test.size()), 16, 10);
    return data.test.files;
  }();
  EXPECT_THAT(said(), ::testing::ElementsAre(
                          fmt::format("data: no test half: {} of 80 pictures test, chosen by name "
                                      "(data.test_split)",
                                      tested.size())));
  // The folder of the classes alone has the same split, which more files do not change.
  const ScratchFolder other;
  fs::rename(folder_ / "train/cat", other / "cat");
  fs::rename(folder_ / "train/dog", other / "dog");
  for (int i = 40; i < 60; ++i) {
    save_shade(other / ("dog/" + std::to_string(i) + ".png"), static_cast<std::uint8_t>(i));
  }
  const FolderLayout layout = find_layout(other.path()).value();
  EXPECT_EQ(layout.train, other.path());
  const Dataset data = read_image_folder(layout, list_image_classes(layout), {.set = "folder"}, {});
  for (const std::string& file : tested) {
    EXPECT_EQ(std::ranges::count(data.test.files, file.substr(6)), 1) << file;
  }
  for (const std::string& file : data.train.files) {
    EXPECT_EQ(std::ranges::count(tested, "train/" + file), 0) << file;
  }
  const Dataset test =
      read_image_folder(layout, data.class_names, {.set = "folder"}, {}, Halves::test);
  EXPECT_EQ(test.test.pixels, data.test.pixels);
  EXPECT_EQ(test.train.size(), 0u);
}

TEST_F(ImageFolder, AShareOfEachClassValidatesWhereAsked) {
  const Dataset data = read({.validation_split = 0.25});
  EXPECT_EQ(data.train.size() + data.validation.size(), 80u);
  EXPECT_NEAR(static_cast<double>(data.validation.size()), 20, 10);
  EXPECT_EQ(data.test.size(), 8u);
}

TEST_F(ImageFolder, NeedsTwoClasses) {
  fs::remove_all(folder_ / "train/cat");
  EXPECT_THAT(error(), HasSubstr("train has one class folder: put the images of each of two"));
  fs::remove_all(folder_ / "train/dog");
  EXPECT_THAT(error(), HasSubstr("train has no class folder: put the images of each of two"));
  fs::remove_all(folder_ / "train");
  EXPECT_THAT(error(), HasSubstr("has no training half, but test: put the images of each class"));
}

TEST_F(ImageFolder, TheTestHalfAloneNeedsNoTrainingHalf) {
  const LabelledImages both = read().test;
  fs::remove_all(folder_ / "train");
  const std::vector<std::string> classes{"cat", "dog"};
  const Dataset data =
      read_image_folder(find_layout(folder_.path()).value(), classes, {}, {}, Halves::test);
  EXPECT_EQ(data.test.pixels, both.pixels);
  EXPECT_EQ(data.test.labels, both.labels);
  EXPECT_EQ(data.train.size(), 0u);
}

}  // namespace
}  // namespace sluice
