#include "sluice/dataset.h"

#include <fmt/format.h>

#include <map>

#include "sluice/exchange.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Saves a training record of each class and one test record, with labels from `label` on.
void save_cifar(const fs::path& folder, int label) {
  std::string train;
  std::string test;
  for (int i = 0; i < 10; ++i) {
    const auto byte = static_cast<char>((label + i) % 10);
    train += byte + std::string(3072, static_cast<char>('a' + i));
    test += byte + std::string(3072, static_cast<char>('A' + i));
  }
  save(folder / "data_batch_1.bin", train);
  save(folder / "test_batch.bin", test);
}

/// Saves one image of each class in each half, all different.
void save_images(const fs::path& folder, const std::vector<std::string>& class_names) {
  std::uint8_t shade = 0;
  for (const char* half : {"train", "test"}) {
    for (const std::string& name : class_names) {
      fs::create_directories(folder / half / name);
      write_png(folder / half / name / "1.png", std::vector<std::uint8_t>(48, ++shade), 4, 4);
    }
  }
}

/// Sets up an empty cache, no $SLUICE_DATA, and a proxy that does not answer.
class DataSource : public ::testing::Test {
 protected:
  Dataset load(const std::string& data = "") {
    said_.clear();
    DataEvents events;
    events.say = [this](const std::string& line) { said_.push_back(line); };
    events.download = download;
    return load_data(options_, data, events);
  }
  static fs::path download(const DataEvents& events) { return fetch_cifar10(kCifar10Url, events); }
  std::string error(const std::string& data = "") {
    return error_of(Fault::user, [&] { load(data); });
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  ScratchFolder folder_;
  ScopedVariable cache_{"XDG_CACHE_HOME", folder_.path().c_str()};
  ScopedVariable proxy_{"https_proxy", "http://127.0.0.1:1"};
  ScopedVariable no_exception_{"no_proxy", nullptr};
  ScopedVariable no_exception_either_{"NO_PROXY", nullptr};
  ScopedVariable variable_{"SLUICE_DATA", nullptr};
  DataOptions options_;
  std::vector<std::string> said_;
};

TEST_F(DataSource, IsDecidedInOrder) {
  options_.train_images = options_.test_images = 10;
  EXPECT_EQ(load().source, "drawn by sluice");
  EXPECT_EQ(load().place, "builtin");
  ASSERT_EQ(said_.size(), 3u);
  EXPECT_THAT(said_[0], HasSubstr("data: downloading https://www.cs.toronto.edu/~kriz/"));
  EXPECT_THAT(said_[1], HasSubstr("data: the download failed: [download] https://"));
  EXPECT_EQ(said_[2], "data: the built-in images, drawn by sluice (no copy of CIFAR-10 was found)");

  save_cifar(folder_ / "sluice/cifar-10-batches-bin", 1);
  EXPECT_EQ(load().train.labels[0], 1);
  EXPECT_THAT(said_, ElementsAre("data: CIFAR-10 from " +
                                 path("sluice/cifar-10-batches-bin (downloaded earlier)")));

  save_cifar(folder_ / "variable", 2);
  const ScopedVariable variable("SLUICE_DATA", path("variable").c_str());
  EXPECT_EQ(load().train.labels[0], 2);
  EXPECT_THAT(said_,
              ElementsAre("data: CIFAR-10 from " + path("variable (given by $SLUICE_DATA)")));

  save_cifar(folder_ / "named/cifar-10-batches-bin", 3);
  const Dataset data = load(path("named"));
  EXPECT_THAT(data.train.labels, ElementsAre(3, 4, 5, 6, 7, 8, 9, 0, 1, 2));
  EXPECT_EQ(data.test.size(), 10u);
  EXPECT_EQ(data.place, path("named/cifar-10-batches-bin"));
  EXPECT_THAT(said_, ElementsAre("data: CIFAR-10 from " +
                                 path("named/cifar-10-batches-bin (given with --data)")));

  EXPECT_EQ(load("builtin").source, "drawn by sluice");
  EXPECT_THAT(said_, ElementsAre("data: the built-in images, drawn by sluice (given with --data)"));
}

TEST_F(DataSource, EverySourceHasTheShapeOfTheOptions) {
  options_ = {.train_images = 10, .test_images = 10, .height = 24, .width = 16, .channels = 1};
  const Shape wanted{24, 16, 1};
  save_cifar(folder_ / "binary", 0);
  save_images(folder_ / "files", cifar10_class_names());
  for (const std::string& place : {std::string("builtin"), path("binary"), path("files")}) {
    const Dataset data = load(place);
    EXPECT_EQ(data.train.shape, wanted) << place;
    EXPECT_EQ(data.test.shape, wanted) << place;
    EXPECT_EQ(data.train.pixels.size(), 10u * 24 * 16) << place;
    EXPECT_EQ(load_test_data(options_, data.class_names, place, {}).test.pixels, data.test.pixels);
  }
  EXPECT_EQ(load(path("binary")).train.image(3)[0], 'd') << "one shade of grey";
  options_.resize = Resize::pad;
  for (const std::string& place : {path("binary"), path("files")}) {
    const Dataset data = load(place);
    EXPECT_EQ(data.train.image(3)[0], 0) << place << ", a square on a high image";
    EXPECT_NE(data.train.image(3)[24 * 8], 0) << place;
  }
}

TEST_F(DataSource, ThePlaceIsFoundAgainFromAnotherFolder) {
  save_cifar(folder_ / "cifar", 1);
  const CurrentFolder here(folder_.path());
  const Dataset data = load("./cifar");
  EXPECT_EQ(data.source, "./cifar");
  EXPECT_EQ(data.place, (fs::current_path() / "cifar").string());
}

TEST_F(DataSource, EmptyVariableIsNone) {
  save_cifar(folder_ / "sluice/cifar-10-batches-bin", 1);
  const ScopedVariable variable("SLUICE_DATA", "");
  EXPECT_EQ(load().train.labels[0], 1);
}

TEST_F(DataSource, VariableMayNameTheBuiltinImages) {
  options_.train_images = options_.test_images = 10;
  const ScopedVariable variable("SLUICE_DATA", "builtin");
  EXPECT_EQ(load().source, "drawn by sluice");
  EXPECT_THAT(said_,
              ElementsAre("data: the built-in images, drawn by sluice (given by $SLUICE_DATA)"));
}

TEST_F(DataSource, ANamedPlaceIsNotPassedOver) {
  save_cifar(folder_ / "sluice/cifar-10-batches-bin", 1);
  EXPECT_EQ(error(path("nowhere")), "[data] " + path("nowhere") +
                                        " (given with --data) does not exist: name a folder, or "
                                        "\"builtin\"");
  save(folder_ / "file", "");
  EXPECT_THAT(error(path("file")), HasSubstr("file (given with --data) has neither CIFAR-10"));
  fs::create_directories(folder_ / "empty");
  const ScopedVariable variable("SLUICE_DATA", path("empty").c_str());
  EXPECT_THAT(error(),
              HasSubstr("empty (given by $SLUICE_DATA) has neither CIFAR-10 (data_batch_*.bin, "
                        "data_batch_1 or an archive) nor train/<class>/ and test/<class>/; it is "
                        "empty: put the images of each class into train/CLASS and test/CLASS, or "
                        "into CLASS alone"));
  EXPECT_TRUE(said_.empty());
  options_.train_images = 11;
  EXPECT_THAT(error(path("sluice/cifar-10-batches-bin")),
              HasSubstr("data.train_images = 11, but "));
}

TEST_F(DataSource, ALayoutIsFoundBelowFoldersThatHaveNothingElse) {
  options_.set = "folder";
  save_images(folder_ / "my data/pets", {"dog", "cat"});
  save(folder_ / "my data/__MACOSX/._x", "");
  const Dataset data = load(path("my data"));
  EXPECT_EQ(data.train.size(), 2u);
  EXPECT_EQ(data.place, path("my data/pets"));
}

TEST_F(DataSource, WithoutALayoutWhatWasFoundAndTheNearestOneAreNamed) {
  options_.set = "folder";
  save_images(folder_ / "my data/pets", {"dog", "cat"});
  EXPECT_THAT(error(path("my data/pets/train")),
              HasSubstr("; found cat, dog: pass --data '" + path("my data/pets") + "'"));
  save(folder_ / "my data/1.jpg", "");
  EXPECT_THAT(error(path("my data")),
              HasSubstr("; found 1.jpg, pets, with 1 picture in no class folder: put those of each "
                        "class into a folder of its own, or list file and label in a CSV file"));
  fs::remove(folder_ / "my data/1.jpg");
  fs::create_directories(folder_ / "my data/other");
  EXPECT_THAT(error(path("my data")),
              HasSubstr("; found other, pets: pass --data '" + path("my data/pets") + "'"));
  save(folder_ / "text/notes/1.txt", "");
  EXPECT_THAT(
      error(path("text")),
      HasSubstr("; found notes: pictures are needed in the folders of two or more classes"));
  save(folder_ / "pets.zip", "PK\3\4");
  EXPECT_THAT(error(path("pets.zip")), HasSubstr("pets.zip (given with --data) is no folder, CSV "
                                                 "file, .npz file, idx file or CIFAR archive"));
}

TEST_F(DataSource, OneFolderOfClassesNeedsNoHalves) {
  options_.set = "folder";
  save_images(folder_ / "both", {"dog", "cat"});
  for (const char* name : {"dog", "cat"}) {
    fs::create_directories(folder_ / "pets" / name);
    fs::rename(folder_ / "both/train" / name / "1.png", folder_ / "pets" / name / "1.png");
    fs::rename(folder_ / "both/test" / name / "1.png", folder_ / "pets" / name / "2.png");
  }
  const Dataset data = load(path("pets"));
  EXPECT_EQ(data.train.size(), 2u) << "one of each class";
  EXPECT_EQ(data.test.size(), 2u);
  EXPECT_THAT(said_.back(), HasSubstr("no test half: 2 of 4 pictures test"));
  EXPECT_EQ(load_test_data(options_, data.class_names, path("pets"), {}).test.pixels,
            data.test.pixels);
}

TEST_F(DataSource, ACsvFileIsFoundByItsNameAndBySet) {
  save_images(folder_ / "pets", {"dog", "cat"});
  fs::create_directories(folder_ / "csv/images");
  std::string rows = "filename,label,split\n";
  for (const char* half : {"train", "test"}) {
    for (const char* name : {"dog", "cat"}) {
      const std::string file = fmt::format("images/{}-{}.png", half, name);
      fs::rename(folder_ / "pets" / half / name / "1.png", folder_ / "csv" / file);
      rows += fmt::format("{},{},{}\n", file, name, half);
    }
  }
  save(folder_ / "csv/labels.csv", rows);
  for (const char* set : {"folder", "csv"}) {
    options_.set = set;
    for (const char* place : {"csv", "csv/labels.csv"}) {
      const Dataset data = load(path(place));
      EXPECT_EQ(data.class_names, (std::vector<std::string>{"cat", "dog"}));
      EXPECT_EQ(data.train.size(), 2u);
      EXPECT_EQ(data.place, path("csv/labels.csv"));
      EXPECT_THAT(data.test.files,
                  ::testing::UnorderedElementsAre("images/test-cat.png", "images/test-dog.png"));
      EXPECT_EQ(list_classes(options_, path(place)), data.class_names);
    }
  }
  EXPECT_THAT(error(path("pets")), HasSubstr("is no CSV file, and no folder with one"));
}

TEST_F(DataSource, ATildeIsTheHome) {
  const ScopedVariable home("HOME", folder_.path().c_str());
  save_cifar(folder_ / "pics", 4);
  EXPECT_EQ(load("~/pics").train.labels[0], 4);
  const ScopedVariable variable("SLUICE_DATA", "~/pics");
  EXPECT_EQ(load().place, path("pics"));
}

TEST_F(DataSource, PicturesOfOnesOwnAreToldFromCifar) {
  save_images(folder_ / "pets", {"bus", "cat", "dog", "van"});
  EXPECT_EQ(error(path("pets")),
            "[data] " + path("pets/train") +
                " has other classes than CIFAR-10's ten: if these pictures are your own, write set "
                "= \"folder\" under [data] of the experiment, and divide classes = [\"bus\", "
                "\"cat\", \"dog\", \"van\"] over two or more [[groups]], or let `sluice init " +
                path("pets") + "` write the experiment");
  std::vector<std::string> names = cifar10_class_names();
  names[5] = "Dog";
  save_images(folder_ / "cifar", names);
  EXPECT_THAT(error(path("cifar")), HasSubstr("did you mean 'dog'? rename it"));
}

TEST_F(DataSource, EveryClassNeedsATrainingImage) {
  options_.train_images = 9;
  save_cifar(folder_ / "cifar", 0);
  EXPECT_THAT(error(path("cifar")), HasSubstr("no training image of truck among 9: take more"));
  EXPECT_EQ(
      error("builtin"),
      "[data] data.train_images = 9, but there are 10 classes: ask for at least that many, or "
      "0 for all");
}

TEST_F(DataSource, WhatLooksWrongIsSaid) {
  options_.set = "folder";
  save_images(folder_ / "pets", {"dog", "cat", "Dog", "owl"});
  for (const char* name : {"cat/1.png", "owl/1.png"}) {
    fs::copy_file(folder_ / "pets/train" / name, folder_ / "pets/test" / name,
                  fs::copy_options::overwrite_existing);
  }
  fs::copy_file(folder_ / "pets/train/dog/1.png", folder_ / "pets/train/Dog/2.png");
  fs::remove_all(folder_ / "pets/test/dog");
  fs::remove(folder_ / "pets/test/Dog/1.png");
  load(path("pets"));
  ASSERT_EQ(said_.size(), 5u);
  EXPECT_EQ(said_[1], "data: 0 test images of Dog, dog: these classes are not tested");
  EXPECT_EQ(said_[2], "data: classes with similar names: Dog and dog: are they the same class?");
  EXPECT_THAT(said_[3], HasSubstr("data: 1 of 5 train images has the same pixels as another but "
                                  "another label: train/"));
  EXPECT_THAT(said_[4], HasSubstr("data: 2 of 2 test images are in train too (test/"));
}

TEST_F(DataSource, PicturesThatAreThereTwiceAreSaidByHalfAndClass) {
  options_.set = "folder";
  save_images(folder_ / "pets", {"dog", "cat"});
  const auto copy = [&](const char* from, const char* to) {
    fs::copy_file(folder_ / "pets" / from, folder_ / "pets" / to);
  };
  copy("train/dog/1.png", "train/dog/2.png");  // of one class: said nowhere
  load(path("pets"));
  EXPECT_EQ(said_.size(), 1u);
  copy("test/dog/1.png", "test/cat/2.png");
  load(path("pets"));
  ASSERT_EQ(said_.size(), 2u);
  EXPECT_THAT(said_[1], HasSubstr("data: 1 of 3 test images has the same pixels as another but "
                                  "another label: test/"));
}

TEST_F(DataSource, EveryPictureThatIsThereTwiceIsReportedWhereProblemsAreCollected) {
  options_.set = "folder";
  save_images(folder_ / "pets", {"dog", "cat", "Cat"});
  const auto copy = [&](const char* from, const char* to) {
    fs::copy_file(folder_ / "pets" / from, folder_ / "pets" / to,
                  fs::copy_options::overwrite_existing);
  };
  copy("train/dog/1.png", "train/dog/2.png");
  copy("train/cat/1.png", "test/cat/1.png");
  for (const char* name : {"dog/3.png", "cat/3.png"}) {
    write_png(folder_ / "pets/train" / name, std::vector<std::uint8_t>(48, 99), 4, 4);
  }
  fs::remove_all(folder_ / "pets/test/dog");
  fs::remove(folder_ / "pets/train/Cat/1.png");
  std::map<DataProblem::Kind, std::string> problems;
  DataEvents events;
  events.problem = [&](const DataProblem& each) {
    EXPECT_EQ(problems.count(each.kind), 0u) << each.what;
    problems[each.kind] = each.what;
  };
  const Dataset data = load_data(options_, path("pets"), events);
  EXPECT_EQ(data.train.size(), 5u);
  using Kind = DataProblem::Kind;
  EXPECT_EQ(problems.size(), 6u);
  EXPECT_EQ(problems[Kind::untrained], "Cat");
  EXPECT_EQ(problems[Kind::untested], "dog");
  EXPECT_EQ(problems[Kind::similar_names], "Cat and cat");
  EXPECT_EQ(problems[Kind::in_both_halves], "test/cat/1.png is train/cat/1.png");
  EXPECT_THAT(problems[Kind::other_label], HasSubstr(", as '"));
  EXPECT_THAT(problems[Kind::copy], HasSubstr("train/dog/"));
}

TEST_F(DataSource, SomeClassNeedsATestImage) {
  options_.set = "folder";
  save_images(folder_ / "pets", {"dog", "cat"});
  for (const char* name : {"dog", "cat"}) fs::remove(folder_ / "pets/test" / name / "1.png");
  EXPECT_EQ(error(path("pets")), "[data] " + path("pets") +
                                     " has no test image: put some of each class into test/CLASS");
}

TEST_F(DataSource, TheTestHalfAloneHasTheLabelsOfTheTraining) {
  options_.set = "folder";
  save_images(folder_ / "pets", {"dog", "cat"});
  const LabelledImages test =
      load_test_data(options_, {"owl", "dog", "cat"}, path("pets"), {}).test;
  ASSERT_EQ(test.size(), 2u);
  for (std::size_t i = 0; i < test.size(); ++i) {
    EXPECT_EQ(test.labels[i], test.files[i] == "test/dog/1.png" ? 1 : 2);
  }
}

TEST_F(DataSource, TheTestHalfAloneIsLoadedFromAnyPlace) {
  const auto load_test = [&](const DataPlace& place) {
    return load_test_data(options_, cifar10_class_names(), place, {});
  };
  options_.train_images = options_.test_images = 10;
  const Dataset drawn = load("builtin");
  EXPECT_EQ(load_test("builtin").test.pixels, drawn.test.pixels);
  EXPECT_EQ(load_test("builtin").train.size(), 0u);
  options_.test_images = 0;
  save_cifar(folder_ / "cifar", 3);
  fs::remove(folder_ / "cifar/data_batch_1.bin");
  EXPECT_EQ(load_test(path("cifar")).test.labels[0], 3);
  EXPECT_THAT(error(path("cifar")), HasSubstr("has no data_batch_*.bin"));
  save_images(folder_ / "images", cifar10_class_names());
  fs::remove_all(folder_ / "images/train");
  fs::remove_all(folder_ / "images/test/dog");
  EXPECT_EQ(load_test(path("images")).test.size(), 9u);
  save_images(folder_ / "pets", {"cat", "bus"});
  EXPECT_THAT(error_of(Fault::user, [&] { load_test(path("pets")); }),
              HasSubstr("test has other classes than CIFAR-10's ten"));
}

TEST_F(DataSource, NothingIsDownloadedUnlessTheCallerCan) {
  options_.train_images = options_.test_images = 10;
  DataEvents events;
  events.say = [this](const std::string& line) { said_.push_back(line); };
  EXPECT_EQ(load_data(options_, "", events).place, "builtin");
  EXPECT_EQ(said_.size(), 1u);
  save_cifar(folder_ / "mirror", 4);
  events.download = [this](const DataEvents&) { return folder_ / "mirror"; };
  EXPECT_EQ(load_data(options_, "", events).train.labels[0], 4);
  EXPECT_THAT(said_.back(), HasSubstr("mirror (just downloaded)"));
}

TEST_F(DataSource, DrawnPicturesStandInOnlyWhereTheyMay) {
  DataPlace anywhere("");
  anywhere.may_draw = false;
  EXPECT_EQ(error_of(Fault::user, [&] { load_data(options_, anywhere, {}); }),
            "[data] no copy of CIFAR-10 was found: pass --data DIR");
}

TEST_F(DataSource, CifarAsImages) {
  save_images(folder_ / "images", cifar10_class_names());
  const Dataset data = load(path("images"));
  EXPECT_EQ(data.name, "CIFAR-10");
  EXPECT_EQ(data.class_names, cifar10_class_names());
  EXPECT_EQ(data.train.size(), 10u);
  EXPECT_EQ(data.train.files.size(), 10u);
}

TEST_F(DataSource, AnyFolderOfImages) {
  options_.set = "folder";
  save_images(folder_ / "pets", {"dog", "cat"});
  const Dataset data = load(path("pets/"));
  EXPECT_EQ(data.name, "pets");
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(list_classes(options_, path("pets")), data.class_names);
  EXPECT_THAT(said_, ElementsAre("data: images from " + path("pets/ (given with --data)")));

  EXPECT_EQ(error(), "[data] data.set = \"folder\" needs images of your own: pass --data DIR");
  EXPECT_THAT(error("builtin"), HasSubstr("pass --data DIR"));
  EXPECT_THAT(error_of(Fault::user, [&] { list_classes(options_, ""); }),
              HasSubstr("pass --data DIR"));
}

TEST_F(DataSource, UnknownSetIsRefused) {
  options_.set = "imagenet";
  EXPECT_THAT(error(), HasSubstr("[data] data.set = \"imagenet\": choose \"cifar-10\", "));
  options_.set = "cifar-10";
  EXPECT_EQ(list_classes(options_, ""), cifar10_class_names());
}

TEST_F(DataSource, AStopWhileDownloadingIsNoFailedDownload) {
  DataEvents events;
  events.progress = [](std::uint64_t, std::uint64_t) {
    throw Error(Fault::user, "stop", "as asked");
  };
  events.download = download;
  EXPECT_EQ(error_of(Fault::user, [&] { load_data(options_, "", events); }), "[stop] as asked");
}

}  // namespace
}  // namespace sluice
