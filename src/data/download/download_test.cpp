#include "data/download/download.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "data/cifar_cache.h"
#include "tests/http_server.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Entry {
  std::string path;
  std::string bytes;
  unsigned type = AE_IFREG;
};

/// Writes a .tar.gz without dates, so that its checksum is constant.
void save_archive(const fs::path& path, const std::vector<Entry>& entries) {
  archive* writer = archive_write_new();
  archive_write_add_filter_gzip(writer);
  archive_write_set_options(writer, "gzip:!timestamp");
  archive_write_set_format_ustar(writer);
  archive_write_open_filename(writer, path.c_str());
  for (const Entry& entry : entries) {
    archive_entry* header = archive_entry_new();
    archive_entry_set_pathname(header, entry.path.c_str());
    archive_entry_set_filetype(header, entry.type);
    archive_entry_set_perm(header, 0644);
    if (entry.type == AE_IFLNK) {
      archive_entry_set_symlink(header, entry.bytes.c_str());
    } else {
      archive_entry_set_size(header, static_cast<la_int64_t>(entry.bytes.size()));
    }
    EXPECT_EQ(archive_write_header(writer, header), ARCHIVE_OK) << entry.path;
    if (entry.type == AE_IFREG) {
      archive_write_data(writer, entry.bytes.data(), entry.bytes.size());
    }
    archive_entry_free(header);
  }
  archive_write_free(writer);
}

/// Returns bytes that gzip cannot compress, so that the archive is long enough to be cut.
std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

/// A server with a small archive, and an empty cache.
class Download : public ::testing::Test {
 protected:
  Download() : no_proxy_("no_proxy", "*") {
    offer({{"cifar-10-batches-bin/readme.html", "hello"},
           {"cifar-10-batches-bin/data_batch_1.bin", noise(50000)},
           {"cifar-10-batches-bin/batches.meta.txt", "airplane\n"},
           {"./test_batch.bin", "not a plain name"},
           {"cifar-10-batches-bin/test_batch.bin", "the test"}});
  }

  void offer(const std::vector<Entry>& entries) {
    save_archive(source_, entries);
    url_ = "file://" + source_.string();
    md5_ = md5();
  }
  std::string md5() const {
    // Computes the sum with another program than Sluice.
    const std::string command = "md5sum " + source_.string() + " > " + (folder_ / "sum").string();
    EXPECT_EQ(std::system(command.c_str()), 0);
    return load(folder_ / "sum").substr(0, 32);
  }
  fs::path fetch(const DataEvents& events = {}) const {
    return fetch_archive(url_, md5_, cache_, events);
  }
  std::string error(const DataEvents& events = {}) const {
    return error_of(Fault::machine, [&] { fetch(events); });
  }
  /// Leaves the first `size` bytes, as an interrupted transfer does.
  std::string leave_part(std::size_t size) const {
    const std::string whole = load(source_);
    save(part_, whole.substr(0, size));
    return whole;
  }
  void expect_unpacked(const fs::path& found) const {
    EXPECT_EQ(found, cache_ / "cifar-10-batches-bin");
    EXPECT_EQ(load(found / "data_batch_1.bin"), noise(50000));
    EXPECT_EQ(load(found / "test_batch.bin"), "the test");
    EXPECT_EQ(std::distance(fs::directory_iterator(found), {}), 3) << "and nothing else";
    EXPECT_FALSE(fs::exists(part_));
    EXPECT_FALSE(fs::exists(cache_ / "cifar-10-batches-bin.part"));
  }

  ScratchFolder folder_;
  ScopedVariable no_proxy_;
  const fs::path source_ = folder_ / "source.tar.gz";
  const fs::path cache_ = folder_ / "a/new/cache";
  const fs::path part_ = cache_ / "cifar-10-binary.tar.gz.part";
  std::string url_;
  std::string md5_;
};

TEST_F(Download, FetchesChecksUnpacks) {
  std::vector<std::string> said;
  std::uint64_t last = 0;
  DataEvents events;
  events.say = [&](const std::string& line) { said.push_back(line); };
  events.progress = [&](std::uint64_t done, std::uint64_t) { last = done; };
  expect_unpacked(fetch(events));
  EXPECT_THAT(said, ElementsAre("data: downloading " + url_));
  EXPECT_EQ(last, fs::file_size(source_));

  fs::remove(source_);  // the second call does not download
  EXPECT_EQ(fetch(events), cache_ / "cifar-10-batches-bin");
  EXPECT_EQ(said.size(), 1u);
}

TEST_F(Download, WrongChecksumDeletes) {
  const std::string due = md5_;
  md5_ = std::string(32, '0');
  EXPECT_EQ(error(), "[download] " + url_ + " has the MD5 " + due + ", not " + md5_ +
                         ": deleted it; try again");
  EXPECT_FALSE(fs::exists(part_));
  EXPECT_FALSE(fs::exists(cache_ / "cifar-10-batches-bin"));
}

TEST_F(Download, GoesOnWhereItStopped) {
  const std::string whole = leave_part(20000);
  std::uint64_t least = whole.size();
  DataEvents events;
  events.progress = [&](std::uint64_t done, std::uint64_t total) {
    least = std::min(least, done);
    EXPECT_THAT(total, AnyOf(0u, whole.size()));
  };
  expect_unpacked(fetch(events));
  EXPECT_GE(least, 20000u);
}

TEST_F(Download, AWholePartNeedsNoNetwork) {
  leave_part(1u << 30);
  fs::remove(source_);
  expect_unpacked(fetch());
}

TEST_F(Download, APartThatIsTooLongStartsOver) {
  save(part_, load(source_) + "more");
  expect_unpacked(fetch());
}

TEST_F(Download, CallbackEndsItAndIsRethrown) {
  leave_part(20000);
  DataEvents events;
  events.progress = [](std::uint64_t, std::uint64_t) { throw std::logic_error("enough"); };
  EXPECT_THROW(fetch(events), std::logic_error);
  EXPECT_GE(fs::file_size(part_), 20000u);
  EXPECT_FALSE(fs::exists(cache_ / "cifar-10-batches-bin"));
  expect_unpacked(fetch());
}

TEST_F(Download, OverHttpWithRanges) {
  const std::string whole = leave_part(20000);
  HttpServer server(whole, true);
  url_ = server.url();
  expect_unpacked(fetch());
  EXPECT_THAT(server.statuses(), ElementsAre(206));
}

TEST_F(Download, OverHttpWithoutRangesStartsOver) {
  const std::string whole = leave_part(20000);
  HttpServer server(whole, false);
  url_ = server.url();
  expect_unpacked(fetch());
  EXPECT_EQ(server.statuses().back(), 200);
}

TEST_F(Download, OverHttpBeyondTheEndStartsOver) {
  const std::string whole = load(source_);
  save(part_, whole + "more");
  HttpServer server(whole, true);
  url_ = server.url();
  expect_unpacked(fetch());
  EXPECT_THAT(server.statuses(), ElementsAre(416, 200));
}

TEST_F(Download, NoNetworkIsSaid) {
  url_ = "http://127.0.0.1:1/nothing";
  EXPECT_THAT(error(), HasSubstr("[download] http://127.0.0.1:1/nothing: "));
  EXPECT_THAT(error(), HasSubstr(": check the network, or use --data DIR"));
  save(folder_ / "file", "in the way");
  EXPECT_THAT(
      error_of(Fault::machine, [&] { fetch_archive(url_, md5_, folder_ / "file/cache", {}); }),
      HasSubstr("[download] cannot make "));
}

TEST_F(Download, NothingInTheArchiveLeadsOut) {
  offer({{"../evil/data_batch_1.bin", "evil"},
         {"../data_batch_2.bin", "evil"},
         {"cifar-10-batches-bin/../../data_batch_3.bin", "evil"},
         {"/tmp/data_batch_4.bin", "evil"},
         {"cifar-10-batches-bin/data_batch_5.bin", "/etc/passwd", AE_IFLNK},
         {"data_batch_1.bin", "good"},
         {"test_batch.bin", "good"}});
  const fs::path found = fetch();
  EXPECT_EQ(std::distance(fs::directory_iterator(found), {}), 2);
  EXPECT_EQ(load(found / "data_batch_1.bin"), "good");
  EXPECT_FALSE(fs::exists(cache_ / "evil"));
  EXPECT_FALSE(fs::exists(cache_ / "data_batch_2.bin"));
  EXPECT_FALSE(fs::exists(folder_ / "a/new/data_batch_3.bin"));
}

TEST_F(Download, BrokenArchivesAreNamed) {
  const auto error_with = [&](const std::string& bytes) {
    save(source_, bytes);
    md5_ = md5();
    return error();
  };
  const std::string whole = load(source_);
  EXPECT_THAT(error_with("no archive"), HasSubstr("[download] cannot unpack "));
  fs::remove(part_);
  EXPECT_THAT(error_with(whole.substr(0, 30000)), HasSubstr("cannot unpack "));
  fs::remove(part_);
  offer({{"test_batch.bin", "alone"}});
  EXPECT_THAT(error(), HasSubstr("lacks data_batch_1.bin or test_batch.bin"));
  fs::remove(part_);
  offer({{"test_batch.bin", "once"}, {"data_batch_1.bin", "once"}, {"test_batch.bin", "twice"}});
  EXPECT_THAT(error(), HasSubstr("cannot write "));
  fs::remove(part_);
  offer({{"test_batch.bin", "once"}, {"data_batch_1.bin", std::string((64u << 20) + 1, 'x')}});
  EXPECT_THAT(error(), HasSubstr("data_batch_1.bin in "));
  EXPECT_THAT(error(), HasSubstr("is larger than 67108864 bytes"));
  EXPECT_FALSE(fs::exists(cache_ / "cifar-10-batches-bin"));
}

TEST_F(Download, WaitsForAnother) {
  fs::create_directories(cache_);
  const int lock = open((cache_ / "cifar-10-binary.lock").c_str(), O_RDWR | O_CREAT, 0666);
  ASSERT_EQ(flock(lock, LOCK_EX), 0);
  std::vector<std::string> said;
  DataEvents events;
  events.say = [&](const std::string& line) { said.push_back(line); };
  events.progress = [](std::uint64_t, std::uint64_t) { throw std::logic_error("enough"); };
  EXPECT_THROW(fetch(events), std::logic_error);
  EXPECT_THAT(said, ElementsAre("data: waiting for another process that downloads"));
  int asked = 0;
  events.progress = [&](std::uint64_t, std::uint64_t) {
    if (++asked == 1) close(lock);  // the other process ends
  };
  expect_unpacked(fetch(events));
}

TEST_F(Download, SeveralAtOnceAllGetIt) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([this] { expect_unpacked(fetch()); });
  for (std::thread& thread : threads) thread.join();
}

TEST(CacheFolder, FollowsTheEnvironment) {
  const ScopedVariable home("HOME", "/home/me");
  {
    const ScopedVariable cache("XDG_CACHE_HOME", "/var/my");
    EXPECT_EQ(cache_folder(), "/var/my/sluice");
  }
  for (const char* none : {"", "relative", static_cast<const char*>(nullptr)}) {
    const ScopedVariable cache("XDG_CACHE_HOME", none);
    EXPECT_EQ(cache_folder(), "/home/me/.cache/sluice");
    const ScopedVariable homeless("HOME", nullptr);
    EXPECT_EQ(cache_folder(), "");
    EXPECT_THAT(error_of(Fault::machine, [] { fetch_cifar10("file:///none", {}); }),
                HasSubstr("no place for the download: set $XDG_CACHE_HOME or $HOME"));
  }
}

}  // namespace
}  // namespace sluice
