#include "data/arrays/array_files_testing.h"
#include "data/arrays/array_source.h"
#include "data/arrays/cifar_arrays.h"
#include "data/arrays/idx.h"
#include "data/arrays/pickle.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Returns planes of red, green and blue for each image, whose shades depend on `seed`.
std::string planes(int count, int seed) {
  std::string pixels;
  for (int i = 0; i < count; ++i) {
    for (int channel = 0; channel < 3; ++channel) {
      pixels.append(1024, static_cast<char>(seed + 3 * i + channel));
    }
  }
  return pixels;
}

/// Writes the six files of CIFAR-10 in a form, with an image of two classes in each.
std::vector<std::pair<std::string, std::string>> cifar10_files(bool python) {
  std::vector<std::pair<std::string, std::string>> files;
  for (int batch = 1; batch <= 6; ++batch) {
    const std::string name =
        (batch == 6 ? "test_batch" : fmt::format("data_batch_{}", batch)) + (python ? "" : ".bin");
    const std::vector<int> labels{(2 * batch - 2) % 10, (2 * batch - 1) % 10};
    const std::string pixels = planes(2, 10 * batch);
    files.emplace_back(
        name, python ? make_cifar_pickle(labels, pixels)
                     : std::string(1, static_cast<char>(labels[0])) + pixels.substr(0, 3072) +
                           std::string(1, static_cast<char>(labels[1])) + pixels.substr(3072));
  }
  return files;
}

std::string tar_of(const std::string& folder,
                   std::vector<std::pair<std::string, std::string>> files) {
  for (auto& [name, content] : files) name = folder + "/" + name;
  return gzip(make_tar(files));
}

/// Has no $SLUICE_DATA and an empty home.
class ArraySets : public ::testing::Test {
 protected:
  Dataset load(const std::string& set, const std::string& place = "",
               const DataOptions& others = {}) {
    DataOptions options = others;
    options.set = set;
    said_.clear();
    DataEvents events;
    events.say = [&](const std::string& line) { said_.push_back(line); };
    return load_data(options, place.empty() ? "" : (folder_ / place).string(), events);
  }
  std::string error(const std::string& set, const std::string& place = "") {
    return error_of(Fault::user, [&] { load(set, place); });
  }
  void save_all(const fs::path& folder,
                const std::vector<std::pair<std::string, std::string>>& files) {
    for (const auto& [name, content] : files) save(folder / name, content);
  }

  ScratchFolder folder_;
  ScopedVariable home_{"HOME", folder_.path().c_str()};
  ScopedVariable keras_{"KERAS_HOME", nullptr};
  ScopedVariable cache_{"XDG_CACHE_HOME", nullptr};
  ScopedVariable variable_{"SLUICE_DATA", nullptr};
  std::vector<std::string> said_;
};

TEST_F(ArraySets, Cifar10IsTheSameInEveryForm) {
  save_all(folder_ / "bin", cifar10_files(false));
  save_all(folder_ / "py/cifar-10-batches-py", cifar10_files(true));
  save(folder_ / "archives/cifar-10-python.tar.gz",
       tar_of("cifar-10-batches-py", cifar10_files(true)));
  save(folder_ / "cifar-10-binary.tar.gz", tar_of("cifar-10-batches-bin", cifar10_files(false)));
  save_all(folder_ / "keras3/cifar-10-batches-py-target/cifar-10-batches-py", cifar10_files(true));
  const Dataset binary = load("cifar-10", "bin");
  EXPECT_EQ(binary.train.size(), 10u);
  for (const char* place : {"py", "py/cifar-10-batches-py", "archives", "cifar-10-binary.tar.gz",
                            "archives/cifar-10-python.tar.gz", "keras3"}) {
    for (const char* set : {"cifar-10", "folder"}) {
      const Dataset data = load(set, place);
      EXPECT_EQ(data.train.pixels, binary.train.pixels) << place;
      EXPECT_EQ(data.train.labels, binary.train.labels) << place;
      EXPECT_EQ(data.test.pixels, binary.test.pixels) << place;
      EXPECT_EQ(data.class_names, binary.class_names);
      EXPECT_EQ(data.name, "CIFAR-10");
    }
  }
  EXPECT_EQ(load("cifar-10", "py", {.test_images = 1}).test.labels,
            load("cifar-10", "bin", {.test_images = 1}).test.labels);
}

TEST_F(ArraySets, KerasFolderOfDataSetsIsSearched) {
  save(folder_ / ".keras/datasets/cifar-10-batches-py.tar.gz",
       tar_of("cifar-10-batches-py", cifar10_files(true)));
  EXPECT_EQ(load("cifar-10").train.size(), 10u);
  EXPECT_THAT(said_.front(), HasSubstr("cifar-10-batches-py.tar.gz (where Keras keeps it)"));
  const ScopedVariable keras("KERAS_HOME", (folder_ / "other").c_str());
  EXPECT_THAT(error("mnist"), HasSubstr("datasets has no mnist: pass --data DIR, with its four"));
  save(folder_ / "other/datasets/mnist.npz",
       make_zip(
           {{"x_train.npy", make_npy("|u1", "(10, 8, 8)", std::string(640, 'a'))},
            {"y_train.npy", make_npy("|u1", "(10,)", std::string{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})},
            {"x_test.npy", make_npy("|u1", "(1, 8, 8)", std::string(64, 'b'))},
            {"y_test.npy", make_npy("|u1", "(1,)", std::string{9})}},
           true));
  EXPECT_EQ(load("mnist").name, "MNIST");
  EXPECT_EQ(load("mnist").test.labels, std::vector<int>{9});
}

TEST_F(ArraySets, Cifar100HasItsFineLabels) {
  std::vector<int> labels;
  std::string records;
  const std::string pixels = planes(100, 0);
  for (int i = 0; i < 100; ++i) {
    labels.push_back(i);
    records += std::string{7, static_cast<char>(i)} + pixels.substr(i * 3072, 3072);
  }
  save_all(folder_ / "bin", {{"train.bin", records}, {"test.bin", records}});
  const std::string pickle = make_cifar_pickle(labels, pixels, "fine_labels");
  save_all(folder_ / "cifar-100-python", {{"train", pickle}, {"test", pickle}, {"meta", ""}});
  const Dataset data = load("cifar-100", "bin");
  EXPECT_EQ(data.class_names[99], "worm");
  EXPECT_EQ(load("cifar-100", "cifar-100-python").train.pixels, data.train.pixels);
  EXPECT_EQ(load("cifar-100", "cifar-100-python").test.labels, labels);
  EXPECT_THAT(error("cifar-100", "nowhere"), HasSubstr("does not exist"));
}

TEST_F(ArraySets, IdxFilesMayBePacked) {
  const std::string images =
      make_idx({3, 8, 8}, std::string(64, 'a') + std::string(64, 'b') + std::string(64, 'c'));
  const std::string labels = make_idx({3}, std::string{0, 1, 0});
  for (const bool packs : {false, true}) {
    const fs::path folder = folder_ / (packs ? "packed" : "plain");
    const auto put = [&](const std::string& name, const std::string& bytes) {
      save(folder / (name + (packs ? ".gz" : "")), packs ? gzip(bytes) : bytes);
    };
    put("train-images-idx3-ubyte", images);
    put("train-labels-idx1-ubyte", labels);
    put("t10k-images-idx3-ubyte", images);
    put("t10k-labels-idx1-ubyte", labels);
    const Dataset data =
        load("folder", folder.filename(), {.height = 8, .width = 8, .channels = 1});
    EXPECT_EQ(data.class_names, (std::vector<std::string>{"0", "1"}));
    EXPECT_EQ(data.train.labels, (std::vector<int>{0, 1, 0}));
    EXPECT_EQ(data.test.image(2)[5], 'c');
  }
  EXPECT_THAT(error("fashion-mnist", "plain"), HasSubstr("no training image of Pullover"));
  fs::remove(folder_ / "plain/t10k-labels-idx1-ubyte");
  EXPECT_THAT(error("folder", "plain"), HasSubstr("plain lacks t10k-labels-idx1-ubyte"));
}

TEST_F(ArraySets, IdxFilesThatLieAreRefused) {
  const auto refused = [&](const std::string& bytes) {
    save(folder_ / "x", bytes);
    return error_of(Fault::user, [&] { read_idx_images(folder_ / "x"); });
  };
  EXPECT_THAT(refused(make_idx({0xFFFFFFFF, 65535, 65535}, "abc")), HasSubstr("x is cut short"));
  EXPECT_THAT(refused(make_idx({1, 0, 1}, "")), HasSubstr("x has images of 1 x 0 pixels"));
  EXPECT_THAT(refused(make_idx({1, 1, 1}, "ab")), HasSubstr("more bytes than its header says"));
  EXPECT_THAT(refused(make_idx({1}, "a")), HasSubstr("x is no idx file with images"));
}

std::string refused_pickle(const std::string& bytes) {
  return error_of(Fault::user, [&] {
    LabelledImages images;
    add_python_batch(bytes, "batch", 10, images);
  });
}

TEST(Pickles, AreNeverExecuted) {
  EXPECT_THAT(refused_pickle("\x80\2cos\nsystem\nU\7echo hi\x85R."),
              HasSubstr("batch would run os.system, which is never run"));
  std::string other = make_cifar_pickle({1}, std::string(3072, 'a'));
  const std::string from = "numpy\nndarray";
  other.replace(other.find(from), from.size(), "posix\nsystem!");
  EXPECT_THAT(refused_pickle(other), HasSubstr("would run posix.system!"));
}

TEST(Pickles, OfAnotherFormAreRefused) {
  const std::string whole = make_cifar_pickle({1, 2}, std::string(2 * 3072, 'a'));
  LabelledImages images;
  add_python_batch(whole, "batch", 10, images);
  EXPECT_EQ(images.labels, (std::vector<int>{1, 2}));
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{30}, whole.size() - 1}) {
    EXPECT_THAT(refused_pickle(whole.substr(0, size)), HasSubstr("batch is cut short"));
  }
  EXPECT_THAT(refused_pickle("\x80\5."), HasSubstr("has a later protocol than 2"));
  EXPECT_THAT(refused_pickle("\x80\2\x95."), HasSubstr("has the opcode 0x95"));
  EXPECT_THAT(refused_pickle("\x80\2]."), HasSubstr("has no dict"));
  EXPECT_THAT(refused_pickle("\x80\2}."), HasSubstr("has no data or no labels"));
  EXPECT_THAT(refused_pickle("\x80\2te."), HasSubstr("batch is damaged"));
  EXPECT_THAT(refused_pickle("\x80\2" + std::string(1'000'001, 'N')),
              HasSubstr("has more than a million values"));
  EXPECT_THAT(refused_pickle(std::string(200, '(')), HasSubstr("nested too deeply"));
  EXPECT_THAT(refused_pickle(make_cifar_pickle({1, 2}, std::string(3072, 'a'))),
              HasSubstr("has an array of another size than its shape"));
  EXPECT_THAT(refused_pickle(make_cifar_pickle({10}, std::string(3072, 'a'))),
              HasSubstr("batch has the label 10, above 9: is this CIFAR-10?"));
}

}  // namespace
}  // namespace sluice
