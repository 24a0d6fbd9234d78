#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/fail.h"
#include "base/text.h"

namespace sluice {

namespace fs = std::filesystem;

Error file_error(std::string_view tag, const fs::path& path, const char* cannot, int reason,
                 std::size_t needed) {
  const auto [fault, mend] = [&]() -> std::pair<Fault, std::string> {
    switch (reason) {
      case ENOENT:
        return {Fault::user, ": is the path right?"};
      case ENOTDIR:
        return {Fault::user, ": a folder on its path is a file"};
      case EISDIR:
        return {Fault::user, ": name a file in it"};
      case EACCES:
      case EPERM:
      case EROFS:
        return {Fault::user, ": choose a place where you have permission"};
      case ENAMETOOLONG:
        return {Fault::user, ": choose a shorter one"};
      case ENOSPC:
      case EDQUOT:
      case EFBIG:
        return {Fault::machine, fmt::format(": free some space ({} MB)", needed / 1'000'000 + 1)};
      default:
        return {Fault::machine, ""};
    }
  }();
  return {
      fault, tag,
      fmt::format("{}: cannot be {}: {}{}", path_text(path), cannot, std::strerror(reason), mend)};
}

namespace {

/// False, with errno, where not all could be written.
bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(descriptor, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

/// Opens a file that was not there, and says how it is called.
int open_beside(const fs::path& target, fs::path& path) {
  // A name of an earlier, killed program may be left over: take the next.
  for (int n = 0; n < 10'000; ++n) {
    path = target.parent_path() /
           fmt::format(".{}.{}-{}.part", target.filename().string(), ::getpid(), n);
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
  return -1;
}

}  // namespace

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::vector<fs::path> list_folder(const fs::path& folder, std::string_view tag) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().filename().string().front() != '.') entries.push_back(entry->path());
  }
  if (error) throw file_error(tag, folder, "listed", error.value());
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool make_folder(const fs::path& path) {
  if (::mkdir(path.c_str(), 0777) == 0) return true;
  if (errno == EEXIST) return false;
  throw file_error("file", path, "made", errno);
}

void sync_folder(const fs::path& folder, std::string_view tag) {
  const Descriptor opened(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC));
  if (opened.failed()) return;  // a folder that may be written but not read
  // EINVAL: some network file systems cannot flush folders.
  if (::fsync(opened.get()) != 0 && errno != EINVAL) {
    throw file_error(tag, folder, "flushed to the disk", errno);
  }
}

void rename_file(const fs::path& from, const fs::path& to, std::string_view tag) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) {
    throw machine_error(tag, "cannot rename {} to {}: {}: check the folder's permissions",
                        from.string(), to.string(), error.message());
  }
}

std::uintmax_t size_of_file(const fs::path& path, std::string_view tag) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw user_error(tag, "{} does not exist: check the path", path.string());
  }
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

std::string read_file(const fs::path& path, std::uint64_t max_bytes, std::string_view tag) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (file.failed() || ::fstat(file.get(), &status) != 0) {
    throw file_error(tag, path, "read", errno);
  }
  const auto too_large = [&](std::string_view size) {
    return user_error(tag, "{} has {} bytes, and at most {} are read: is it the right file?",
                      path_text(path), size, max_bytes);
  };
  const auto declared = S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0;
  if (declared > max_bytes) throw too_large(fmt::to_string(declared));

  // Up to the end of the file, whatever its declared size: it may grow, or be a pipe.
  std::string bytes;
  std::size_t size = 0;
  for (;;) {
    if (size == bytes.size()) bytes.resize(std::max<std::size_t>(declared + 1, size + size / 2));
    if (size == bytes.size()) bytes.resize(size + 4096);
    const ssize_t done = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) throw file_error(tag, path, "read", errno);
    if (done == 0) break;
    size += static_cast<std::size_t>(done);
    if (size > max_bytes) throw too_large("more");
  }
  bytes.resize(size);
  return bytes;
}

void write_file(const fs::path& path, std::string_view bytes) {
  PendingFile file(path);
  file.write(bytes);
  file.keep();
}

bool is_pending(const fs::path& path) {
  return path.filename().string().front() == '.' && path.extension() == ".part";
}

PendingFile::PendingFile(const fs::path& target, std::string_view tag)
    : target_(target), tag_(tag), descriptor_(open_beside(target, path_)) {
  if (descriptor_.failed()) fail();
}

PendingFile::~PendingFile() {
  if (!kept_) ::unlink(path_.c_str());
}

void PendingFile::fail() const {
  throw file_error(tag_, target_, "written", errno, size_);
}

void PendingFile::write(std::string_view bytes) {
  size_ += bytes.size();
  if (!write_all(descriptor_.get(), bytes)) fail();
}

void PendingFile::keep() {
  // Without the flush a crash could leave an empty file with the final name.
  if (::fsync(descriptor_.get()) != 0) fail();
  if (::rename(path_.c_str(), target_.c_str()) != 0) fail();
  kept_ = true;
  sync_folder(target_.parent_path(), tag_);
}

OutputFile::OutputFile(fs::path path, Mode mode, std::string_view tag)
    : path_(std::move(path)),
      tag_(tag),
      descriptor_(::open(path_.c_str(),
                         O_WRONLY | O_CREAT | O_CLOEXEC |
                             (mode == Mode::fresh     ? O_EXCL
                              : mode == Mode::replace ? O_TRUNC
                                                      : O_APPEND),
                         0666)) {
  if (descriptor_.failed()) {
    throw machine_error(tag_, "cannot write {}: {}: check the folder and its permissions",
                        path_.string(), std::strerror(errno));
  }
}

void OutputFile::write(std::string_view bytes) {
  if (!write_all(descriptor_.get(), bytes)) {
    throw machine_error(tag_, "cannot write {}: {}: make room or choose another place",
                        path_.string(), std::strerror(errno));
  }
}

void OutputFile::sync() {
  if (::fsync(descriptor_.get()) != 0) {
    throw machine_error(tag_, "cannot write {}: {}: make room or choose another place",
                        path_.string(), std::strerror(errno));
  }
}

}  // namespace sluice
