#include <gtest/gtest.h>

#include "base/files.h"
#include "sluice/lab/run_folder.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

Dataset two_images() {
  Dataset data;
  data.name = "pets";
  data.place = "/data/pets";
  data.class_names = {"cat", "dog"};
  data.train = {{1, 1, 3}, {1, 2, 3}, {0}};
  data.test = {{1, 1, 3}, {4, 5, 6}, {1}};
  return data;
}

TEST(DataRecords, AreReadBack) {
  const ScratchFolder temp;
  const RunFolder run = RunFolder::create(temp / "r", Experiment());
  EXPECT_FALSE(run.read_data()) << "an earlier version's run";
  const DataRecord record = record_of(two_images(), "folder");
  run.write_data(record);
  const DataRecord read = run.read_data().value();
  EXPECT_EQ(read.set, "folder");
  EXPECT_EQ(read.name, "pets");
  EXPECT_EQ(read.place, "/data/pets");
  EXPECT_EQ(read.class_names, record.class_names);
  EXPECT_EQ(read.train.images, 1u);
  EXPECT_EQ(read.train.sha256, record.train.sha256);
  EXPECT_EQ(read.test.sha256, record.test.sha256);
}

TEST(DataRecords, ChangeWithEachHalfsPixelsAndLabels) {
  const DataRecord record = record_of(two_images(), "folder");
  EXPECT_NE(record.train.sha256, record.test.sha256);
  Dataset other = two_images();
  other.test.pixels[2] = 7;
  EXPECT_EQ(record_of(other, "folder").train.sha256, record.train.sha256);
  EXPECT_NE(record_of(other, "folder").test.sha256, record.test.sha256);
  other = two_images();
  other.train.labels[0] = 1;
  EXPECT_NE(record_of(other, "folder").train.sha256, record.train.sha256);
  other = two_images();
  other.test.files = {"test/dog/1.jpg"};
  other.place = "/moved";
  EXPECT_EQ(record_of(other, "folder").test.sha256, record.test.sha256);
}

TEST(DataRecords, ThatAreDamagedAreRefused) {
  const ScratchFolder temp;
  const RunFolder run = RunFolder::create(temp / "r", Experiment());
  run.write_data(record_of(two_images(), "folder"));
  const std::string whole = read_file(temp / "r/data.json", 10'000);
  const auto refused = [&](const std::string& text) {
    write_file(temp / "r/data.json", text);
    return error_of(Fault::user, [&] { run.read_data(); });
  };
  EXPECT_THAT(refused("{}"), HasSubstr("r/data.json is damaged: copy it again, or delete it"));
  EXPECT_THAT(refused("[]"), HasSubstr("r/data.json is damaged"));
  EXPECT_THAT(refused(whole.substr(0, whole.size() / 2)), HasSubstr("r/data.json is not valid"));
  std::string other = whole;
  other.replace(other.find("\"format\": 1"), 11, "\"format\": 2");
  EXPECT_THAT(refused(other), HasSubstr("r/data.json is of another version of Sluice"));
  other = whole;
  other.replace(other.find("\"images\": 1"), 11, "\"images\": \"\"");
  EXPECT_THAT(refused(other), HasSubstr("r/data.json is damaged"));
}

}  // namespace
}  // namespace sluice
