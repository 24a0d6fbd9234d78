#include "sluice/dataset.h"

#include "tests/scratch.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two records of one label to train on, one to test with.
void save_cifar(const fs::path& folder, int label) {
  const std::string record = std::string(1, static_cast<char>(label)) + std::string(3072, 'x');
  save(folder / "data_batch_1.bin", record + record);
  save(folder / "test_batch.bin", record);
}

void save_images(const fs::path& folder, const std::vector<std::string>& class_names) {
  const std::vector<std::uint8_t> pixels(48, 99);
  for (const char* half : {"train", "test"}) {
    for (const std::string& name : class_names) {
      fs::create_directories(folder / half / name);
      write_png(folder / half / name / "1.png", pixels, 4, 4);
    }
  }
}

/// An empty cache, no $SLUICE_DATA, and a network where nobody answers.
class DataSource : public ::testing::Test {
 protected:
  Dataset load(const std::string& data = "") {
    said_.clear();
    DataEvents events;
    events.say = [this](const std::string& line) { said_.push_back(line); };
    return load_data(options_, data, events);
  }
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
  options_.train_images = 2;
  options_.test_images = 1;
  EXPECT_EQ(load().source, "drawn by sluice");
  ASSERT_EQ(said_.size(), 3u);
  EXPECT_THAT(said_[0], HasSubstr("data: downloading https://www.cs.toronto.edu/~kriz/"));
  EXPECT_THAT(said_[1], HasSubstr("data: no download: [download] https://"));
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
  EXPECT_EQ(data.train.labels, (std::vector<int>{3, 3}));
  EXPECT_EQ(data.test.size(), 1u);
  EXPECT_THAT(said_, ElementsAre("data: CIFAR-10 from " +
                                 path("named/cifar-10-batches-bin (given with --data)")));

  EXPECT_EQ(load("builtin").source, "drawn by sluice");
  EXPECT_THAT(said_, ElementsAre("data: the built-in images, drawn by sluice (given with --data)"));
}

TEST_F(DataSource, EmptyVariableIsNone) {
  save_cifar(folder_ / "sluice/cifar-10-batches-bin", 1);
  const ScopedVariable variable("SLUICE_DATA", "");
  EXPECT_EQ(load().train.labels[0], 1);
}

TEST_F(DataSource, VariableMayNameTheBuiltinImages) {
  options_.train_images = options_.test_images = 1;
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
  EXPECT_THAT(error(path("file")), HasSubstr("(given with --data) is not a folder"));
  fs::create_directories(folder_ / "empty");
  const ScopedVariable variable("SLUICE_DATA", path("empty").c_str());
  EXPECT_THAT(error(), HasSubstr("empty (given by $SLUICE_DATA) has neither data_batch_*.bin and "
                                 "test_batch.bin nor train/<class>/ and test/<class>/"));
  EXPECT_TRUE(said_.empty());
  options_.train_images = 3;
  EXPECT_THAT(error(path("sluice/cifar-10-batches-bin")), HasSubstr("data.train_images = 3, but "));
}

TEST_F(DataSource, CifarAsImages) {
  save_images(folder_ / "images", cifar10_class_names());
  const Dataset data = load(path("images"));
  EXPECT_EQ(data.name, "CIFAR-10");
  EXPECT_EQ(data.class_names, cifar10_class_names());
  EXPECT_EQ(data.train.size(), 10u);
  save_images(folder_ / "images", {"zebra"});
  EXPECT_THAT(error(path("images")), HasSubstr("train has a folder 'zebra' that is not one of"));
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
  save_cifar(folder_ / "binary", 1);
  EXPECT_THAT(error(path("binary")), HasSubstr("has no train/<class>/ and test/<class>/"));
  EXPECT_THAT(error_of(Fault::user, [&] { list_classes(options_, ""); }),
              HasSubstr("pass --data DIR"));
}

TEST_F(DataSource, UnknownSetIsRefused) {
  options_.set = "mnist";
  EXPECT_EQ(error(), "[data] data.set = \"mnist\": choose \"cifar-10\" or \"folder\"");
  options_.set = "cifar-10";
  EXPECT_EQ(list_classes(options_, ""), cifar10_class_names());
}

TEST_F(DataSource, AStopWhileDownloadingIsNoFailedDownload) {
  DataEvents events;
  events.progress = [](std::uint64_t, std::uint64_t) {
    throw Error(Fault::user, "stop", "as asked");
  };
  EXPECT_EQ(error_of(Fault::user, [&] { load_data(options_, "", events); }), "[stop] as asked");
}

}  // namespace
}  // namespace sluice
