#include "data/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "base/fail.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

std::string reason(int code) {
  return std::generic_category().message(code);
}

}  // namespace

std::vector<fs::path> list_folder(const fs::path& folder, const std::string& tag) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().filename().string().front() != '.') entries.push_back(entry->path());
  }
  if (error) {
    throw machine_error(tag, "cannot list {}: {}: check the path and its permissions",
                        folder.string(), error.message());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::uintmax_t size_of_file(const fs::path& path, const std::string& tag) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw user_error(tag, "{} does not exist: check the path", path.string());
  }
  // Opening a pipe or a device could wait for ever.
  if (!error && !fs::is_regular_file(status)) {
    throw user_error(tag, "{} is not a file: check the path", path.string());
  }
  const std::uintmax_t size = error ? 0 : fs::file_size(path, error);
  if (error) {
    throw machine_error(tag, "cannot read {}: {}: check its permissions and the disk",
                        path.string(), error.message());
  }
  return size;
}

std::vector<std::uint8_t> read_file(const fs::path& path, const std::string& tag,
                                    std::uintmax_t limit) {
  const std::uintmax_t size = size_of_file(path, tag);
  if (size > limit) {
    throw user_error(tag, "{} has {} bytes, more than the {} that are read: make it smaller",
                     path.string(), size, limit);
  }
  std::vector<std::uint8_t> bytes(size);
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))) {
    throw machine_error(tag, "cannot read {}: check its permissions and the disk", path.string());
  }
  return bytes;
}

OutputFile::OutputFile(fs::path path, Mode mode, std::string tag)
    : path_(std::move(path)), tag_(std::move(tag)) {
  const int how = mode == Mode::fresh ? O_EXCL : mode == Mode::replace ? O_TRUNC : O_APPEND;
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0666);
  if (descriptor_ < 0) {
    throw machine_error(tag_, "cannot write {}: {}: check the folder and its permissions",
                        path_.string(), reason(errno));
  }
}

OutputFile::~OutputFile() {
  ::close(descriptor_);
}

void OutputFile::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      throw machine_error(tag_, "cannot write {}: {}: make room or choose another place",
                          path_.string(), reason(errno));
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void OutputFile::sync() {
  if (::fsync(descriptor_) != 0) {
    throw machine_error(tag_, "cannot write {}: {}: make room or choose another place",
                        path_.string(), reason(errno));
  }
}

void sync_folder(const fs::path& folder, const std::string& tag) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int code = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!synced) {
    throw machine_error(tag, "cannot write {}: {}: check the disk", folder.string(), reason(code));
  }
}

void rename_file(const fs::path& from, const fs::path& to, const std::string& tag) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) {
    throw machine_error(tag, "cannot rename {} to {}: {}: check the folder's permissions",
                        from.string(), to.string(), error.message());
  }
}

}  // namespace sluice
