#include "formats/keras/zip.h"

#include <archive.h>
#include <archive_entry.h>

#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::HasSubstr;

const std::string kZeros(100'000, '\0');

/// A zip file as other programs write it, compressed.
std::string compressed(const std::vector<ZipMember>& members) {
  std::string out(1 << 20, '\0');
  std::size_t used = 0;
  archive* zip = archive_write_new();
  archive_write_set_format_zip(zip);
  archive_write_zip_set_compression_deflate(zip);
  archive_write_set_bytes_in_last_block(zip, 1);
  archive_write_open_memory(zip, out.data(), out.size(), &used);
  for (const ZipMember& member : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(member.bytes.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_write_header(zip, entry);
    archive_write_data(zip, member.bytes.data(), member.bytes.size());
    archive_entry_free(entry);
  }
  archive_write_free(zip);
  return out.substr(0, used);
}

std::string refusal_of(const std::string& bytes, std::uint64_t max = 1000) {
  return error_of(Fault::user, [&] { read_zip(bytes, {{"a", max}}, "f.keras"); });
}

TEST(Zip, WhatIsWrittenIsReadBack) {
  const std::string a("x\0y", 3);
  const std::string zip = to_zip({{"a", a}, {"folder/b", kZeros}, {"empty", ""}});
  EXPECT_EQ(zip, to_zip({{"a", a}, {"folder/b", kZeros}, {"empty", ""}}));
  EXPECT_GT(zip.size(), kZeros.size()) << "stored, not compressed";
  const auto read = read_zip(zip, {{"a", 3}, {"folder/b", 1 << 20}, {"empty", 0}, {"no", 9}}, "f");
  EXPECT_EQ(read,
            (std::map<std::string, std::string>{{"a", a}, {"empty", ""}, {"folder/b", kZeros}}));
}

TEST(Zip, CompressedMembersAreReadUpToTheirLimit) {
  const std::string zip = compressed({{"a", kZeros}});
  ASSERT_LT(zip.size(), 1000u);
  EXPECT_EQ(read_zip(zip, {{"a", 100'000}}, "f").at("a"), kZeros);
  EXPECT_EQ(refusal_of(zip, 99'999),
            "[keras] f.keras: a is larger than 99999 bytes: is it of a Keras model?");
  EXPECT_TRUE(read_zip(zip, {{"b", 10}}, "f").empty()) << "what nobody wants is passed over";
}

TEST(Zip, DamagedFiles) {
  const std::string zip = to_zip({{"a", "abc"}});
  EXPECT_EQ(refusal_of(compressed({{"a", "1"}, {"a", "2"}})), "[keras] f.keras has a twice");
  EXPECT_THAT(refusal_of("PK\x03\x04"), HasSubstr("[keras] f.keras is"));
  EXPECT_THAT(refusal_of(""), HasSubstr("[keras] f.keras is"));
  for (std::size_t size = 0; size < zip.size(); ++size) {
    try {
      read_zip(zip.substr(0, size), {{"a", 1000}}, "f");
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace sluice
