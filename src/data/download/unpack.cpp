#include "data/download/unpack.h"

#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/fail.h"
#include "base/files.h"
#include "data/cifar.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

/// Twice the size of an official batch of 10,000 images.
constexpr std::uint64_t kMaxMemberBytes = std::uint64_t{64} << 20;

struct Free {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, Free>;

Error broken(const fs::path& path, const Reader& reader) {
  const char* why = archive_error_string(reader.get());
  return machine_error("download", "cannot unpack {}: {}: delete it and fetch again", path.string(),
                       why != nullptr ? why : "broken archive");
}

/// Returns the plain name of a wanted entry, or nothing.
std::string wanted_name(archive_entry* entry) {
  const char* path = archive_entry_pathname(entry);
  if (path == nullptr || archive_entry_filetype(entry) != AE_IFREG ||
      archive_entry_hardlink(entry) != nullptr) {
    return "";
  }
  std::string_view name = path;
  constexpr std::string_view kFolder = "cifar-10-batches-bin/";
  if (name.starts_with(kFolder)) name.remove_prefix(kFolder.size());
  for (const char* known :
       {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
        "data_batch_5.bin", "test_batch.bin", "batches.meta.txt"}) {
    if (name == known) return known;
  }
  return "";
}

void unpack_file(const fs::path& path, const Reader& reader, const fs::path& target) {
  OutputFile file(target, OutputFile::Mode::fresh, "download");
  std::uint64_t size = 0;
  char buffer[1 << 16];
  for (;;) {
    const la_ssize_t count = archive_read_data(reader.get(), buffer, sizeof buffer);
    if (count < 0) throw broken(path, reader);
    if (count == 0) break;
    // The bytes are counted, because the entry's header may lie.
    size += static_cast<std::uint64_t>(count);
    if (size > kMaxMemberBytes) {
      throw machine_error("download", "{} in {} is larger than {} bytes: this is not CIFAR-10",
                          target.filename().string(), path.string(), kMaxMemberBytes);
    }
    file.write({buffer, static_cast<std::size_t>(count)});
  }
  file.sync();
}

}  // namespace

void unpack_cifar(const fs::path& path, const fs::path& folder) {
  const Reader reader(archive_read_new());
  if (!reader) throw machine_error("download", "cannot start libarchive: free some memory");
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_filename(reader.get(), path.c_str(), 1 << 16) != ARCHIVE_OK) {
    throw broken(path, reader);
  }
  archive_entry* entry = nullptr;
  for (;;) {
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) break;
    if (status < ARCHIVE_WARN) throw broken(path, reader);
    const std::string name = wanted_name(entry);
    if (!name.empty()) unpack_file(path, reader, folder / name);
  }
  const std::optional<CifarFolder> found = find_cifar(folder);
  if (!found || found->train.empty() || found->test.empty()) {
    throw machine_error("download", "{} lacks data_batch_1.bin or test_batch.bin: not CIFAR-10?",
                        path.string());
  }
  sync_folder(folder, "download");
}

}  // namespace sluice
