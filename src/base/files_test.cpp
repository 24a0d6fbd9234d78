#include "base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>
#include <vector>

#include "tests/expect_error.h"
#include "tests/temp_folder.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

TEST(Files, WriteReplacesWholeFileAndLeavesNothingElse) {
  const TempFolder temp;
  const fs::path file = temp.path() / "a.txt";
  write_file(file, "first, and longer");
  write_file(file, std::string("sec\0ond", 7));
  EXPECT_EQ(read_file(file, 100), std::string("sec\0ond", 7));
  EXPECT_THAT(names_in(temp.path()), testing::ElementsAre("a.txt"));
}

TEST(Files, WriteFollowsUmask) {
  const TempFolder temp;
  const mode_t before = umask(027);
  write_file(temp.path() / "a", "x");
  umask(before);
  EXPECT_EQ(fs::status(temp.path() / "a").permissions(), fs::perms(0640));
}

TEST(Files, WriteIntoCurrentFolder) {
  const TempFolder temp;
  const CurrentFolder current(temp.path());
  write_file("a.txt", "here");
  EXPECT_EQ(read_file(temp.path() / "a.txt", 100), "here");
}

TEST(Files, WriteWhereNoFolderIs) {
  const TempFolder temp;
  const fs::path missing = temp.path() / "no" / "a.txt";
  EXPECT_EQ(error_of(Fault::user, [&] { write_file(missing, "x"); }),
            "[file] " + missing.string() +
                ": cannot be written: No such file or directory: is the path right?");
  write_file(temp.path() / "file", "x");
  EXPECT_THAT(error_of(Fault::user, [&] { write_file(temp.path() / "file" / "a.txt", "x"); }),
              HasSubstr("file/a.txt: cannot be written: Not a directory"));
  EXPECT_THAT(names_in(temp.path()), testing::ElementsAre("file"));
}

TEST(Files, WriteOntoFolderLeavesNothingBehind) {
  const TempFolder temp;
  fs::create_directories(temp.path() / "taken" / "inside");
  EXPECT_THAT(error_of(Fault::user, [&] { write_file(temp.path() / "taken", "x"); }),
              HasSubstr("taken: cannot be written: Is a directory"));
  EXPECT_THAT(names_in(temp.path()), testing::ElementsAre("taken"));
}

TEST(Files, WritersSideBySideLeaveOneWholeFile) {
  const TempFolder temp;
  const fs::path file = temp.path() / "a";
  std::vector<std::thread> writers;
  for (const char c : {'a', 'b', 'c', 'd'}) {
    writers.emplace_back([&file, c] {
      for (int i = 0; i < 5; ++i) write_file(file, std::string(100'000, c));
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::string bytes = read_file(file, 1'000'000);
  EXPECT_EQ(bytes, std::string(100'000, bytes.at(0)));
  EXPECT_THAT(names_in(temp.path()), testing::ElementsAre("a"));
}

TEST(Files, ReadStopsAtLimit) {
  const TempFolder temp;
  const fs::path file = temp.path() / "a";
  write_file(file, "12345");
  EXPECT_EQ(read_file(file, 5), "12345");
  EXPECT_EQ(
      error_of(Fault::user, [&] { read_file(file, 4); }),
      "[file] " + file.string() + " has 5 bytes, and at most 4 are read: is it the right file?");
  EXPECT_THAT(error_of(Fault::user, [] { read_file("/dev/zero", 100'000); }),
              StartsWith("[file] /dev/zero has more bytes, and at most 100000 are read"));
}

TEST(Files, ReadEmptyAndLarge) {
  const TempFolder temp;
  write_file(temp.path() / "empty", "");
  EXPECT_EQ(read_file(temp.path() / "empty", 10), "");
  const std::string large(300'000, 'x');
  write_file(temp.path() / "large", large);
  EXPECT_EQ(read_file(temp.path() / "large", 300'000), large);
}

TEST(Files, ReadWhatIsNotThere) {
  const TempFolder temp;
  EXPECT_THAT(error_of(Fault::user, [&] { read_file(temp.path() / "no", 10); }),
              HasSubstr("no: cannot be read: No such file or directory"));
  EXPECT_THAT(error_of(Fault::user, [&] { read_file(temp.path(), 10); }),
              HasSubstr("cannot be read: Is a directory"));
}

TEST(Files, MakeFolderIsTrueOnce) {
  const TempFolder temp;
  EXPECT_TRUE(make_folder(temp.path() / "a"));
  EXPECT_FALSE(make_folder(temp.path() / "a"));
  EXPECT_THAT(error_of(Fault::user, [&] { make_folder(temp.path() / "b" / "c"); }),
              HasSubstr("b/c: cannot be made: No such file or directory"));
}

}  // namespace
}  // namespace sluice
