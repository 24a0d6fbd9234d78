#include "data/arrays/zip.h"

#include <zlib.h>

#include <algorithm>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "data/arrays/gzip.h"

namespace sluice {

namespace {

// PKWARE's APPNOTE: the directory at the end lists the files; numbers are little-endian.
constexpr std::string_view kZipEnd = "PK\5\6";
constexpr std::string_view kZipEntry = "PK\1\2";
constexpr std::string_view kZipLocal = "PK\3\4";
constexpr std::uint64_t kMostZipBytes = std::uint64_t{8} << 30;
constexpr std::uint64_t kZip64 = 0xFFFFFFFF;  ///< the size stands in an extension
constexpr unsigned kStored = 0;
constexpr unsigned kDeflated = 8;

}  // namespace

ZipFile::ZipFile(const std::filesystem::path& path)
    : path_(path_text(path)), bytes_(read_file(path, kMostZipBytes, "data")) {
  const std::size_t end = bytes_.rfind(kZipEnd);
  if (end == std::string::npos) refuse("is no zip archive, or is cut short");
  const std::uint64_t count = number(end + 10, 2);
  std::uint64_t at = number(end + 16, 4);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (part(at, 4) != kZipEntry) refuse("has a damaged directory");
    if (number(at + 8, 2) & 1) refuse("is encrypted");
    const std::uint64_t name = number(at + 28, 2);
    const Member member{std::string(part(at + 46, name)),
                        static_cast<unsigned>(number(at + 10, 2)),
                        number(at + 16, 4),
                        number(at + 20, 4),
                        number(at + 24, 4),
                        number(at + 42, 4)};
    if (member.packed == kZip64 || member.size == kZip64) refuse("has an array above 4 GB");
    members_.push_back(member);
    at += 46 + name + number(at + 30, 2) + number(at + 32, 2);
  }
}

std::vector<std::string> ZipFile::names() const {
  std::vector<std::string> names;
  for (const Member& member : members_) names.push_back(member.name);
  return names;
}

std::string ZipFile::read(std::string_view name) const {
  const auto found = std::ranges::find(members_, name, &Member::name);
  if (found == members_.end()) refuse("lacks a file");
  std::string content = content_of(*found);
  const auto* bytes = reinterpret_cast<const Bytef*>(content.data());
  if (crc32_z(0, bytes, content.size()) != found->checksum) refuse("is damaged (its checksum)");
  return content;
}

std::string ZipFile::content_of(const Member& member) const {
  const std::uint64_t at = member.offset;
  if (part(at, 4) != kZipLocal) refuse("has a damaged directory");
  const std::string_view packed =
      part(at + 30 + number(at + 26, 2) + number(at + 28, 2), member.packed);
  if (member.method == kStored) {
    if (member.packed != member.size) refuse("has a damaged directory");
    return std::string(packed);
  }
  if (member.method != kDeflated) refuse("is packed in a way that is not read");
  return inflate_raw(packed, member.size, path_);
}

void ZipFile::refuse(std::string_view why) const {
  throw user_error("data", "{} {}: copy it again, or save it again with numpy.savez", path_, why);
}

std::string_view ZipFile::part(std::uint64_t at, std::uint64_t count) const {
  if (at > bytes_.size() || count > bytes_.size() - at) refuse("is damaged");
  return std::string_view(bytes_).substr(at, count);
}

std::uint64_t ZipFile::number(std::uint64_t at, int bytes) const {
  std::uint64_t value = 0;
  const std::string_view digits = part(at, static_cast<std::uint64_t>(bytes));
  for (int i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(digits[i]);
  return value;
}

}  // namespace sluice
