#include "data/arrays/array_files_testing.h"
#include "data/arrays/gzip.h"
#include "data/arrays/tar.h"
#include "data/arrays/zip.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

TEST(GzipFiles, AreReadWholeOrRefused) {
  const ScratchFolder folder;
  const std::string text(100'000, 'a');
  const std::string packed = gzip(text);
  save(folder / "plain", text);
  save(folder / "packed", packed);
  for (const char* name : {"plain", "packed"}) {
    GzipFile file(folder / name);
    EXPECT_EQ(file.take(10), std::string(10, 'a'));
    file.skip(99'980);
    EXPECT_EQ(file.take(10), std::string(10, 'a'));
    EXPECT_TRUE(file.at_end());
  }
  save(folder / "short", packed.substr(0, packed.size() / 2));
  save(folder / "broken", packed.substr(0, 20) + std::string(100, 'x'));
  const auto refused = [&](const char* name, std::uint64_t count) {
    return error_of(Fault::user, [&] { GzipFile(folder / name).take(count); });
  };
  EXPECT_THAT(refused("short", 100'000), HasSubstr("short is "));
  EXPECT_THAT(refused("broken", 100'000), HasSubstr("broken is "));
  EXPECT_THAT(refused("plain", 100'001), HasSubstr("plain is cut short: copy it again"));
  EXPECT_THAT(refused("packed", std::uint64_t{1} << 60), HasSubstr("packed is cut short"));
  EXPECT_THAT(refused("none", 1), HasSubstr("none"));
}

TEST(TarFiles, GiveTheFilesThatAreWanted) {
  const ScratchFolder folder;
  const std::string tar =
      make_tar({{"a/one", "first"}, {"../../two", std::string(1000, 'x')}, {"a/three", "3"}});
  const auto wanted = [](const std::string& name) { return name != "one"; };
  const std::map<std::string, std::string> due{{"two", std::string(1000, 'x')}, {"three", "3"}};
  save(folder / "a.tar", tar);
  save(folder / "a.tar.gz", gzip(tar));
  EXPECT_EQ(read_tar(folder / "a.tar", wanted), due);
  EXPECT_EQ(read_tar(folder / "a.tar.gz", wanted), due);
  const auto refused = [&](const std::string& bytes) {
    save(folder / "b.tar", bytes);
    return error_of(Fault::user, [&] { read_tar(folder / "b.tar", wanted); });
  };
  EXPECT_THAT(refused(tar.substr(0, 1700)), HasSubstr("b.tar is cut short"));
  EXPECT_THAT(refused("no archive"), HasSubstr("b.tar is no tar archive, or is damaged"));
  EXPECT_THAT(refused(make_tar({{"x", "1"}, {"y/x", "2"}})), HasSubstr("has x twice"));
  std::string lies = make_tar({{"x", "1"}});
  lies.replace(124, 11, "77777777777");
  EXPECT_THAT(refused(lies), HasSubstr("is no tar archive, or is damaged")) << "its checksum";
}

TEST(ZipFiles, AreReadStoredAndDeflated) {
  const ScratchFolder folder;
  const std::map<std::string, std::string> files{{"a.npy", std::string(5000, 'a')},
                                                 {"b.npy", "second"}};
  for (const bool deflates : {false, true}) {
    save(folder / "a.npz", make_zip(files, deflates));
    const ZipFile zip(folder / "a.npz");
    EXPECT_THAT(zip.names(), ::testing::ElementsAre("a.npy", "b.npy"));
    for (const auto& [name, content] : files) EXPECT_EQ(zip.read(name), content);
  }
  std::string damaged = make_zip(files, true);
  damaged[40] = static_cast<char>(damaged[40] ^ 0x55);
  save(folder / "b.npz", damaged);
  EXPECT_THAT(error_of(Fault::user, [&] { ZipFile(folder / "b.npz").read("a.npy"); }),
              HasSubstr("b.npz is damaged"));
  save(folder / "c.npz", make_zip(files, true).substr(0, 100));
  EXPECT_THAT(error_of(Fault::user, [&] { const ZipFile file(folder / "c.npz"); }),
              HasSubstr("c.npz is no zip archive, or is cut short"));
  std::string lies = make_zip({{"a", "1"}}, true);
  const std::size_t entry = lies.rfind("PK\1\2");
  lies.replace(entry + 24, 4, little_endian(0xFFFFFFF0, 4));
  save(folder / "d.npz", lies);
  EXPECT_THAT(error_of(Fault::user, [&] { ZipFile(folder / "d.npz").read("a"); }),
              HasSubstr("sizes that cannot be"));
}

}  // namespace
}  // namespace sluice
