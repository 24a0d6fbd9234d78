#include "formats/keras/zip.h"

#include <archive.h>
#include <archive_entry.h>

#include <memory>

#include "base/fail.h"
#include "base/text.h"

namespace sluice {

namespace {

constexpr int kMaxMembers = 10'000;

struct Free {
  void operator()(archive* reader) const { archive_free(reader); }
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using Archive = std::unique_ptr<archive, Free>;

std::string reason(const Archive& archive) {
  const char* why = archive_error_string(archive.get());
  return one_line(why != nullptr ? why : "libarchive gives no reason");
}

void check_write(const Archive& archive, la_ssize_t status) {
  if (status < ARCHIVE_OK)
    throw machine_error("zip", "cannot write a zip file: {}", reason(archive));
}

la_ssize_t append(archive*, void* out, const void* bytes, std::size_t count) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), count);
  return static_cast<la_ssize_t>(count);
}

std::string read_member(const Archive& archive, const std::string& name, std::uint64_t max_bytes,
                        const std::string& place) {
  std::string bytes;
  char buffer[1 << 16];
  for (;;) {
    const la_ssize_t count = archive_read_data(archive.get(), buffer, sizeof buffer);
    if (count < 0) {
      throw user_error("keras", "{}: {} is damaged: {}: copy the file again", place, name,
                       reason(archive));
    }
    if (count == 0) return bytes;
    // Counted, since what the entry's header says need not be true.
    if (bytes.size() + static_cast<std::size_t>(count) > max_bytes) {
      throw user_error("keras", "{}: {} is larger than {} bytes: is it of a Keras model?", place,
                       name, max_bytes);
    }
    bytes.append(buffer, static_cast<std::size_t>(count));
  }
}

}  // namespace

std::string to_zip(const std::vector<ZipMember>& members) {
  std::string out;
  const Archive archive(archive_write_new());
  const std::unique_ptr<archive_entry, Free> entry(archive_entry_new());
  if (!archive || !entry) throw machine_error("zip", "cannot start libarchive: free some memory");
  check_write(archive, archive_write_set_format_zip(archive.get()));
  check_write(archive, archive_write_zip_set_compression_store(archive.get()));
  // Else the last block is filled up with zeros, and readers look for the directory at the end.
  check_write(archive, archive_write_set_bytes_in_last_block(archive.get(), 1));
  check_write(archive, archive_write_open(archive.get(), &out, nullptr, append, nullptr));
  for (const ZipMember& member : members) {
    archive_entry_clear(entry.get());
    archive_entry_set_pathname(entry.get(), member.name.c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(member.bytes.size()));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), 315'532'800, 0);  // 1980: zip's first day
    check_write(archive, archive_write_header(archive.get(), entry.get()));
    check_write(archive,
                archive_write_data(archive.get(), member.bytes.data(), member.bytes.size()));
  }
  check_write(archive, archive_write_close(archive.get()));
  return out;
}

std::map<std::string, std::string> read_zip(std::string_view bytes,
                                            const std::map<std::string, std::uint64_t>& wanted,
                                            const std::string& place) {
  const Archive archive(archive_read_new());
  if (!archive) throw machine_error("zip", "cannot start libarchive: free some memory");
  archive_read_support_format_zip(archive.get());
  if (archive_read_open_memory(archive.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
    throw user_error("keras", "{} is no zip file that can be read: {}", place, reason(archive));
  }
  std::map<std::string, std::string> members;
  archive_entry* entry = nullptr;
  for (int count = 0;; ++count) {
    const int status = archive_read_next_header(archive.get(), &entry);
    if (status == ARCHIVE_EOF) return members;
    if (status < ARCHIVE_WARN) {
      throw user_error("keras", "{} is damaged: {}: copy the file again", place, reason(archive));
    }
    if (count == kMaxMembers) {
      throw user_error("keras", "{} has more than {} members: is it a Keras model?", place,
                       kMaxMembers);
    }
    const char* path = archive_entry_pathname(entry);
    const auto found = wanted.find(path != nullptr ? path : "");
    if (found == wanted.end() || archive_entry_filetype(entry) != AE_IFREG) continue;
    if (members.count(found->first) > 0) {
      throw user_error("keras", "{} has {} twice", place, found->first);
    }
    members[found->first] = read_member(archive, found->first, found->second, place);
  }
}

}  // namespace sluice
