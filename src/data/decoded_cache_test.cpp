#include "data/decoded_cache.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>

#include "base/digest.h"
#include "base/parallel.h"
#include "data/decode_files.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::size_t count_files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

/// Twenty pictures of one shade each, of which the fourth is broken.
class DecodedCache : public ::testing::Test {
 protected:
  DecodedCache() {
    for (int i = 0; i < 20; ++i) {
      const fs::path path = folder_ / fmt::format("pictures/{:02}.png", i);
      fs::create_directories(path.parent_path());
      write_png(path, std::vector<std::uint8_t>(3 * 8 * 8, static_cast<std::uint8_t>(i)), 8, 8);
      files_.push_back({path, i % 2});
    }
    save(files_[3].path, "....ftypheic");
    options_.height = 4;
    options_.width = 4;
    events_.images = [this](std::size_t done, std::size_t) { decoded_ = done; };
  }

  /// Reads the pictures. `decoded_` is then how many were decoded and not read from the cache.
  LabelledImages read(DecodedLimits limits = {.worth_keeping = 0}) {
    decoded_ = 0;
    DecodedFiles decoded = decode_files(files_, options_, events_, limits);
    faults_ = decoded.faults;
    return whole_images(std::move(decoded), folder_.path());
  }
  std::vector<int> shades(const LabelledImages& images) const {
    std::vector<int> first;
    for (std::size_t i = 0; i < images.size(); ++i) {
      EXPECT_EQ(images.image(i).size(), 48u);
      first.push_back(images.image(i)[47]);
    }
    return first;
  }
  fs::path kept() const { return fs::directory_iterator(decoded_folder())->path(); }

  const ThreadTeam alone_{1};  // reports every picture
  ScratchFolder folder_;
  ScopedVariable cache_{"XDG_CACHE_HOME", folder_.path().c_str()};
  std::vector<ImageFile> files_;
  DataOptions options_;
  DataEvents events_;
  std::size_t decoded_ = 0;
  std::vector<std::string> faults_;
};

const DecodedLimits kOnDisk{.in_memory = 0, .worth_keeping = 0};

TEST_F(DecodedCache, PicturesAreDecodedOnce) {
  const LabelledImages first = read();
  EXPECT_EQ(decoded_, 20u);
  const std::vector<std::string> faults = faults_;
  EXPECT_EQ(faults[3], "is a HEIC picture, which Sluice does not read");
  const LabelledImages again = read();
  EXPECT_EQ(decoded_, 0u);
  EXPECT_EQ(again.pixels, first.pixels);
  EXPECT_EQ(again.labels, first.labels);
  EXPECT_EQ(again.files, first.files);
  EXPECT_EQ(faults_, faults);
  EXPECT_EQ(count_files_in(decoded_folder()), 1u) << "nothing half-written is left";
}

TEST_F(DecodedCache, SmallSetsAreNotKept) {
  read({});
  read({});
  EXPECT_EQ(decoded_, 20u);
  EXPECT_FALSE(fs::exists(folder_ / "sluice"));
}

TEST_F(DecodedCache, ImagesMayStayOnTheDisk) {
  const LabelledImages memory = read();
  const LabelledImages disk = read(kOnDisk);
  EXPECT_EQ(decoded_, 0u);
  EXPECT_THAT(disk.pixels, ::testing::IsEmpty());
  EXPECT_EQ(disk.labels, memory.labels);
  EXPECT_EQ(shades(disk), shades(memory));
  EXPECT_EQ(shades(disk)[3], 4) << "the broken one has no row";
  EXPECT_THAT(error_of(Fault::user, [&] { disk.image(19); }), HasSubstr("there is no image 19"));
  fs::remove_all(decoded_folder());
  EXPECT_EQ(shades(disk), shades(memory)) << "the file stays while it is open";
  const LabelledImages decoded = read(kOnDisk);
  EXPECT_EQ(decoded_, 20u);
  EXPECT_EQ(shades(decoded), shades(memory));
}

TEST_F(DecodedCache, ChecksumsOfImagesAreThoseOfTheirPixels) {
  const LabelledImages images = read(kOnDisk);
  ASSERT_EQ(images.size(), 19u) << "without the broken one, before which and after which are some";
  for (std::size_t row = 0; row < images.size(); ++row) {
    const PixelView pixels = images.image(row);
    EXPECT_EQ(images.decoded->sum(row), quick_sum(pixels));
  }
}

TEST_F(DecodedCache, WhateverChangesPixelsIsDecodedAgain) {
  const auto decodes = [&] {
    read();
    const std::size_t decoded = decoded_;
    read();
    EXPECT_EQ(decoded_, 0u);
    return decoded > 0;
  };
  EXPECT_TRUE(decodes());
  EXPECT_FALSE(decodes());
  options_.width = 5;
  EXPECT_TRUE(decodes());
  options_.resize = Resize::crop;
  EXPECT_TRUE(decodes());
  options_.channels = 1;
  EXPECT_TRUE(decodes());
  options_.exif_orientation = false;
  EXPECT_TRUE(decodes());
  options_.skip_broken = true;
  EXPECT_FALSE(decodes());
  write_png(files_[5].path, std::vector<std::uint8_t>(3 * 8 * 8, 5), 8, 8);
  EXPECT_TRUE(decodes()) << "another time of change";
  std::swap(files_[0], files_[1]);
  EXPECT_TRUE(decodes());
  files_.pop_back();
  EXPECT_TRUE(decodes());
}

TEST_F(DecodedCache, ADamagedFileIsNotUsed) {
  const std::vector<std::uint8_t> due = read().pixels;
  const std::string whole = load(kept());
  for (const std::size_t at :
       {std::size_t{0}, whole.size() / 2, whole.size() - 100, whole.size() - 1}) {
    std::string file = whole;
    file[at] = static_cast<char>(file[at] ^ 4);
    save(kept(), file);
    EXPECT_EQ(read().pixels, due);
    EXPECT_EQ(decoded_, 20u) << at;
    EXPECT_EQ(load(kept()), whole);
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{48}, whole.size() - 1}) {
    save(kept(), whole.substr(0, size));
    EXPECT_EQ(read().pixels, due);
    EXPECT_EQ(decoded_, 20u) << size;
  }
  const LabelledImages disk = read(kOnDisk);
  std::string file = whole;
  file[48 * 7] ^= 1;
  save(kept(), file);
  EXPECT_THAT(error_of(Fault::machine, [&] { shades(disk); }),
              HasSubstr("is damaged: delete it, and the pictures are decoded again"));
}

TEST_F(DecodedCache, AFaultThatMayPassIsNotKept) {
  fs::rename(files_[0].path, folder_ / "elsewhere");
  EXPECT_EQ(read(kOnDisk).size(), 18u);
  EXPECT_EQ(faults_[0], "does not exist");
  EXPECT_EQ(count_files_in(decoded_folder()), 0u);
  read();
  EXPECT_EQ(count_files_in(decoded_folder()), 0u);
}

TEST_F(DecodedCache, WithoutAPlaceEverythingStaysAsItWas) {
  save(folder_ / "sluice", "a file in the way");
  EXPECT_EQ(read().size(), 19u);
  EXPECT_EQ(read(kOnDisk).size(), 19u);
  EXPECT_EQ(decoded_, 20u);
}

TEST_F(DecodedCache, TheFilesUsedLastStayWithinTheLimit) {
  const fs::path folder = folder_ / "limited";
  const auto now = fs::file_time_type::clock::now();
  for (const auto& [name, hours] :
       {std::pair{"old", 9}, {"older", 10}, {"new", 1}, {".x.1-0.part", 30}}) {
    save(folder / name, std::string(100, 'x'));
    fs::last_write_time(folder / name, now - std::chrono::hours(hours));
  }
  const auto left = [&](std::uint64_t most) {
    limit_decoded(folder, most);
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  };
  EXPECT_THAT(left(1000), ElementsAre("new", "old", "older")) << "a killed program's file goes";
  EXPECT_THAT(left(250), ElementsAre("new", "old"));
  EXPECT_THAT(left(0), ElementsAre("new"));
}

TEST(QuickSum, ChangesWithEachBitAndLength) {
  std::vector<std::uint8_t> bytes(37, 7);
  const std::uint64_t sum = quick_sum(bytes);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_NE(quick_sum(bytes), sum);
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
  }
  EXPECT_EQ(quick_sum(bytes), sum);
  bytes.push_back(0);
  EXPECT_NE(quick_sum(bytes), sum);
}

}  // namespace
}  // namespace sluice
