#include "data/cifar.h"

#include <gmock/gmock.h>

#include "tests/scratch.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

/// Returns a record with red, green and blue `base`, `base` + 1 and `base` + 2, except pixel 34,
/// the third of the second row, which is 7, 8, 9.
std::string record(int label, int base) {
  std::string bytes(1, static_cast<char>(label));
  for (int channel = 0; channel < 3; ++channel) {
    bytes += std::string(1024, static_cast<char>(base + channel));
    bytes[1 + channel * 1024 + 34] = static_cast<char>(7 + channel);
  }
  return bytes;
}

LabelledImages read(const std::filesystem::path& file, int wanted = 0) {
  return read_cifar_files({file}, wanted, "data.train_images");
}

TEST(Cifar, PlanesBecomePixels) {
  const ScratchFolder folder;
  save(folder / "train.bin", record(3, 50) + record(9, 250));
  const LabelledImages images = read(folder / "train.bin");
  EXPECT_EQ(images.shape, (Shape{32, 32, 3}));
  EXPECT_EQ(images.labels, (std::vector<int>{3, 9}));
  ASSERT_EQ(images.pixels.size(), 2u * 3072);
  const auto second = images.image(1);
  EXPECT_EQ((std::vector<int>(second.begin(), second.begin() + 4)),
            (std::vector<int>{250, 251, 252, 250}));
  EXPECT_EQ((std::vector<int>(second.begin() + 102, second.begin() + 105)),
            (std::vector<int>{7, 8, 9}));
}

TEST(Cifar, BrokenFilesAreNamed) {
  const ScratchFolder folder;
  const auto error = [&](const std::string& bytes) {
    save(folder / "train.bin", bytes);
    return error_of(Fault::user, [&] { read(folder / "train.bin"); });
  };
  EXPECT_THAT(error(std::string(1234, '\0')),
              HasSubstr("train.bin has 1234 bytes, not a multiple of 3073: is this the binary "
                        "version?"));
  EXPECT_THAT(error(std::string(1234, '\0')), HasSubstr("[cifar] "));
  EXPECT_THAT(error(""), HasSubstr("train.bin is empty: copy it again"));
  EXPECT_THAT(error(record(0, 0) + record(10, 0)),
              HasSubstr("train.bin, record 1 has the label 10, above 9: is this CIFAR-10?"));
  EXPECT_THAT(error(record(255, 0)), HasSubstr("record 0 has the label 255"));
  // A file of holes, which takes no room.
  std::filesystem::resize_file(folder / "train.bin", 3073 * std::uintmax_t{10'000'001});
  EXPECT_THAT(error_of(Fault::user, [&] { read(folder / "train.bin", 1); }),
              HasSubstr("has 10000001 images, above 10 million: is this CIFAR-10?"));
  EXPECT_THAT(error_of(Fault::user, [&] { read(folder / "none.bin"); }),
              HasSubstr("none.bin does not exist: check the path"));
  EXPECT_THAT(error_of(Fault::user, [&] { read(folder.path()); }), HasSubstr(", not a file: "));
  EXPECT_THAT(error_of(Fault::user, [&] { read("/dev/zero"); }),
              HasSubstr("/dev/zero is a device, not a file"));
}

TEST(Cifar, TheFirstOfSeveralFiles) {
  const ScratchFolder folder;
  for (const int number : {1, 2, 10}) {
    save(folder / ("data_batch_" + std::to_string(number) + ".bin"),
         record(number % 10, 0) + record(number % 10, 0));
  }
  save(folder / "data_batch_x.bin", "not one of them");
  save(folder / "._data_batch_1.bin", "hidden");
  save(folder / "test_batch.bin", record(5, 0) + record(99, 0));
  DataOptions options;
  options.train_images = 5;
  options.test_images = 1;  // records after it are not read
  const Dataset data = read_cifar(find_cifar(folder.path()).value(), options);
  EXPECT_EQ(data.train.labels, (std::vector<int>{1, 1, 2, 2, 0}));  // 10 comes after 2
  EXPECT_EQ(data.test.labels, (std::vector<int>{5}));
  EXPECT_EQ(data.name, "CIFAR-10");
  EXPECT_EQ(data.source, folder.path().string());
  EXPECT_EQ(data.class_names[9], "truck");

  options.train_images = 7;
  const std::string error =
      error_of(Fault::user, [&] { read_cifar(find_cifar(folder.path()).value(), options); });
  EXPECT_THAT(error, HasSubstr("[data] data.train_images = 7, but "));
  EXPECT_THAT(error, HasSubstr(" has 6 images: ask for at most that many, or 0 for all"));
}

TEST(Cifar, FolderIsFoundHereOrBelow) {
  const ScratchFolder folder;
  EXPECT_FALSE(find_cifar(folder.path()));
  EXPECT_FALSE(find_cifar(folder / "nowhere"));
  save(folder / "cifar-10-batches-bin/data_batch_1.bin", record(1, 1));
  const CifarFolder found = find_cifar(folder.path()).value();
  EXPECT_EQ(found.folder, folder / "cifar-10-batches-bin");
  EXPECT_THAT(error_of(Fault::user, [&] { read_cifar(found, {}); }),
              HasSubstr("cifar-10-batches-bin has no test_batch.bin: unpack the whole archive"));
  save(folder / "test_batch.bin", record(1, 1));
  EXPECT_THAT(error_of(Fault::user, [&] { read_cifar(find_cifar(folder.path()).value(), {}); }),
              HasSubstr("has no data_batch_*.bin"));
}

TEST(Cifar, ClassNamesMustAgree) {
  const ScratchFolder folder;
  save(folder / "data_batch_1.bin", record(1, 1));
  save(folder / "test_batch.bin", record(1, 1));
  const auto read_with = [&](const std::string& names) {
    save(folder / "batches.meta.txt", names);
    read_cifar(find_cifar(folder.path()).value(), {});
  };
  const auto error = [&](const std::string& names) {
    return error_of(Fault::user, [&] { read_with(names); });
  };
  const std::string nine = "airplane\r\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\n";
  EXPECT_NO_THROW(read_with(nine + "truck\n\n"));
  EXPECT_THAT(error(nine), HasSubstr("'nothing' for label 9 where CIFAR-10 has 'truck'"));
  EXPECT_THAT(error(nine + "truck\nvan\n"), HasSubstr("'van' for label 10"));
  EXPECT_THAT(error("apple\n"), HasSubstr("batches.meta.txt has 'apple' for label 0 where "
                                          "CIFAR-10 has 'airplane': is this CIFAR-10?"));
  EXPECT_THAT(error(std::string(100000, 'x')), HasSubstr("more than the 65536 that are read"));
}

}  // namespace
}  // namespace sluice
