#include "base/files.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <thread>
#include <vector>

#include "tests/scratch.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

TEST(Files, WriteReplacesWholeFileAndLeavesNothingElse) {
  const ScratchFolder temp;
  const fs::path file = temp / "a.txt";
  write_file(file, "first, and longer");
  write_file(file, std::string("sec\0ond", 7));
  EXPECT_EQ(read_file(file, 100), std::string("sec\0ond", 7));
  EXPECT_THAT(names_in(temp.path()), testing::ElementsAre("a.txt"));
}

TEST(Files, WriteFollowsUmask) {
  const ScratchFolder temp;
  const mode_t before = umask(027);
  write_file(temp / "a", "x");
  umask(before);
  EXPECT_EQ(fs::status(temp / "a").permissions(), fs::perms(0640));
}

TEST(Files, WriteIntoCurrentFolder) {
  const ScratchFolder temp;
  const CurrentFolder current(temp.path());
  write_file("a.txt", "here");
  EXPECT_EQ(read_file(temp / "a.txt", 100), "here");
}

TEST(Files, WriteWhereNoFolderIs) {
  const ScratchFolder temp;
  const fs::path missing = temp / "no" / "a.txt";
  EXPECT_EQ(error_of(Fault::user, [&] { write_file(missing, "x"); }),
            "[file] " + missing.string() +
                ": cannot be written: No such file or directory: is the path right?");
  write_file(temp / "file", "x");
  EXPECT_THAT(error_of(Fault::user, [&] { write_file(temp / "file" / "a.txt", "x"); }),
              HasSubstr("file/a.txt: cannot be written: Not a directory"));
  EXPECT_THAT(names_in(temp.path()), testing::ElementsAre("file"));
}

TEST(Files, WriteOntoFolderLeavesNothingBehind) {
  const ScratchFolder temp;
  fs::create_directories(temp / "taken" / "inside");
  EXPECT_THAT(error_of(Fault::user, [&] { write_file(temp / "taken", "x"); }),
              HasSubstr("taken is a folder, not a file: name a file in it"));
  EXPECT_THAT(names_in(temp.path()), testing::ElementsAre("taken"));
}

TEST(Files, PendingFileIsGoneUnlessKept) {
  const ScratchFolder temp;
  save(temp / "a", "before");
  {
    PendingFile file(temp / "a");
    file.write("after");
    EXPECT_EQ(load(temp / "a"), "before");
  }
  EXPECT_EQ(load(temp / "a"), "before");
  EXPECT_THAT(names_in(temp.path()), testing::ElementsAre("a"));
  PendingFile file(temp / "a");
  file.write("af");
  file.write("ter");
  file.keep();
  EXPECT_EQ(load(temp / "a"), "after");
}

TEST(Files, OutputFileModes) {
  const ScratchFolder temp;
  using Mode = OutputFile::Mode;
  const auto write = [&](Mode mode, const char* text) {
    OutputFile(temp / "a", mode, "tag").write(text);
    return load(temp / "a");
  };
  EXPECT_EQ(write(Mode::fresh, "one"), "one");
  EXPECT_EQ(write(Mode::append, "two"), "onetwo");
  EXPECT_EQ(write(Mode::replace, "3"), "3");
  EXPECT_THAT(error_of(Fault::machine, [&] { write(Mode::fresh, "x"); }),
              AllOf(StartsWith("[tag] cannot write "), HasSubstr("File exists")));
  EXPECT_THAT(
      error_of(Fault::machine, [] { OutputFile("/dev/full", Mode::append, "tag").write("x"); }),
      HasSubstr("No space left on device: make room"));
}

TEST(Files, WritersSideBySideLeaveOneWholeFile) {
  const ScratchFolder temp;
  const fs::path file = temp / "a";
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
  const ScratchFolder temp;
  const fs::path file = temp / "a";
  write_file(file, "12345");
  EXPECT_EQ(read_file(file, 5), "12345");
  EXPECT_EQ(
      error_of(Fault::user, [&] { read_file(file, 4); }),
      "[file] " + file.string() + " has 5 bytes, and at most 4 are read: is it the right file?");
  EXPECT_THAT(error_of(Fault::user, [] { read_file("/proc/self/maps", 100); }),
              StartsWith("[file] /proc/self/maps has more bytes, and at most 100 are read"))
      << "more than it declares";
}

TEST(Files, ReadEmptyAndLarge) {
  const ScratchFolder temp;
  write_file(temp / "empty", "");
  EXPECT_EQ(read_file(temp / "empty", 10), "");
  const std::string large(300'000, 'x');
  write_file(temp / "large", large);
  EXPECT_EQ(read_file(temp / "large", 300'000), large);
}

TEST(Files, ReadWhatIsNotThere) {
  const ScratchFolder temp;
  EXPECT_THAT(error_of(Fault::user, [&] { read_file(temp / "no", 10); }),
              HasSubstr("no: cannot be read: No such file or directory"));
  EXPECT_THAT(error_of(Fault::user, [&] { read_file(temp.path(), 10); }),
              HasSubstr(" is a folder, not a file: name a file in it"));
}

TEST(Files, ReadBeginning) {
  const ScratchFolder temp;
  save(temp / "a", "12345");
  EXPECT_EQ(read_beginning(temp / "a", 3), "123");
  EXPECT_EQ(read_beginning(temp / "a", 30), "12345");
  EXPECT_THAT(error_of(Fault::user, [&] { read_beginning("/dev/zero", 3); }),
              HasSubstr("/dev/zero is a device, not a file"));
}

/// A name that a socket listens on.
class ListeningSocket {
 public:
  explicit ListeningSocket(const std::filesystem::path& path)
      : descriptor_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(
        ::bind(descriptor_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }

 private:
  Descriptor descriptor_;
};

TEST(Files, NothingButFilesIsReadOrReplaced) {
  const ScratchFolder temp;
  ASSERT_EQ(mkfifo((temp / "pipe").c_str(), 0600), 0);
  const ListeningSocket socket(temp / "socket");
  std::filesystem::create_symlink("/dev/zero", temp / "link");
  std::filesystem::create_directory(temp / "folder");
  for (const auto& [name, kind] : {std::pair{"pipe", "a pipe"},
                                   {"socket", "a socket"},
                                   {"link", "a device"},
                                   {"folder", "a folder"}}) {
    const std::string said = std::string(name) + " is " + kind + ", not a file: ";
    const auto file = temp / name;
    EXPECT_THAT(error_of(Fault::user, [&] { read_file(file, 10); }), HasSubstr(said));
    EXPECT_THAT(error_of(Fault::user, [&] { size_of_file(file, "tag"); }), HasSubstr(said));
    EXPECT_THAT(error_of(Fault::user, [&] { write_file(file, "x"); }), HasSubstr(said));
  }
  EXPECT_EQ(list_folder(temp.path(), "tag").size(), 4u) << "nothing half-written";
}

TEST(Files, SizeOfWhatIsNoFile) {
  const ScratchFolder temp;
  save(temp / "a", "123");
  EXPECT_EQ(size_of_file(temp / "a", "tag"), 3u);
  ASSERT_EQ(mkfifo((temp / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(error_of(Fault::user, [&] { size_of_file(temp / "pipe", "tag"); }),
              HasSubstr("pipe is a pipe, not a file: check the path"));
}

TEST(Files, FoldersAreListedInOrder) {
  const ScratchFolder temp;
  for (const char* name : {"b", ".hidden", "a/inside", "c"}) save(temp / name, "");
  EXPECT_THAT(list_folder(temp.path(), "tag"),
              testing::ElementsAre(temp / "a", temp / "b", temp / "c"));
  EXPECT_TRUE(is_folder(temp / "a"));
  EXPECT_FALSE(is_folder(temp / "b"));
  EXPECT_THAT(error_of(Fault::user, [&] { list_folder(temp / "none", "tag"); }),
              HasSubstr("none: cannot be listed: No such file or directory: is the path right?"));
}

TEST(Files, MakeFolderIsTrueOnce) {
  const ScratchFolder temp;
  EXPECT_TRUE(make_folder(temp / "a"));
  EXPECT_FALSE(make_folder(temp / "a"));
  EXPECT_THAT(error_of(Fault::user, [&] { make_folder(temp / "b" / "c"); }),
              HasSubstr("b/c: cannot be made: No such file or directory"));
}

}  // namespace
}  // namespace sluice
