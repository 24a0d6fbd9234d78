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

namespace {

enum class Access { reading, writing };

/// Makes a message: "[file] runs/a/b: cannot be written: No space left on device: free some space
/// (12 MB)".
Error file_error(std::string_view tag, const fs::path& path, const char* cannot, Access access,
                 int reason, std::size_t needed = 0) {
  const auto [fault, mend] = [&]() -> std::pair<Fault, std::string> {
    switch (reason) {
      case ENOENT:
        return {Fault::user, ": is the path right?"};
      case ENOTDIR:
        return {Fault::user, ": a folder on its path is a file"};
      case EACCES:
      case EPERM:
      case EROFS:
        return {Fault::user, access == Access::reading
                                 ? ": check its permissions"
                                 : ": choose a place where you have permission"};
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

/// Throws Error (user) unless it is a regular file. Reading a pipe or a device may never end, and a
/// file of the same name cannot replace one.
void require_regular(const struct stat& status, const fs::path& path, std::string_view tag) {
  const mode_t mode = status.st_mode;
  if (S_ISREG(mode)) return;
  const char* kind = S_ISDIR(mode)    ? "a folder"
                     : S_ISFIFO(mode) ? "a pipe"
                     : S_ISSOCK(mode) ? "a socket"
                                      : "a device";
  throw user_error(tag, "{} is {}, not a file: {}", path_text(path), kind,
                   S_ISDIR(mode) ? "name a file in it" : "check the path");
}

/// A regular file, open for reading.
class InputFile {
 public:
  InputFile(const fs::path& path, std::string_view tag)
      : path_(path), tag_(tag), descriptor_(open()) {
    struct stat status {};
    if (descriptor_.failed() || ::fstat(descriptor_.get(), &status) != 0) fail();
    require_regular(status, path, tag);  // the file may have been replaced since stat()
    size_ = static_cast<std::uint64_t>(status.st_size);
  }

  std::uint64_t size() const { return size_; }

  /// Returns the number of bytes read; 0 at the end of the file.
  std::size_t read(char* to, std::size_t count) {
    for (;;) {
      const ssize_t done = ::read(descriptor_.get(), to, count);
      if (done >= 0) return static_cast<std::size_t>(done);
      if (errno != EINTR) fail();
    }
  }

 private:
  int open() const {
    // stat() comes before open(): open() may have effects on a device, and sockets refuse it.
    struct stat status {};
    if (::stat(path_.c_str(), &status) != 0) fail();
    require_regular(status, path_, tag_);
    return ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  }
  [[noreturn]] void fail() const { throw file_error(tag_, path_, "read", Access::reading, errno); }

  const fs::path& path_;
  std::string_view tag_;
  Descriptor descriptor_;
  std::uint64_t size_ = 0;
};

/// Returns false and sets errno if not all bytes could be written.
bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(descriptor, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

/// Creates and opens a temporary file beside `target`, and returns its path in `path`.
int open_beside(const fs::path& target, fs::path& path) {
  // A killed program may have left a file of that name: try the next.
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
  if (error) throw file_error(tag, folder, "listed", Access::reading, error.value());
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool make_folder(const fs::path& path, const fs::path& shown) {
  if (::mkdir(path.c_str(), 0777) == 0) return true;
  if (errno == EEXIST) return false;
  throw file_error("file", shown.empty() ? path : shown, "made", Access::writing, errno);
}

void sync_folder(const fs::path& folder, std::string_view tag) {
  const Descriptor opened(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC));
  if (opened.failed()) return;  // a folder may be writable but not readable
  // Network file systems and FUSE may not support flushing folders.
  if (::fsync(opened.get()) == 0) return;
  if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) {
    throw file_error(tag, folder, "flushed to the disk", Access::writing, errno);
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
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) {
      throw user_error(tag, "{} does not exist: check the path", path_text(path));
    }
    throw file_error(tag, path, "read", Access::reading, errno);
  }
  require_regular(status, path, tag);
  return static_cast<std::uintmax_t>(status.st_size);
}

std::string read_file(const fs::path& path, std::uint64_t max_bytes, std::string_view tag) {
  InputFile file(path, tag);
  const auto too_large = [&](std::string_view size) {
    return user_error(tag, "{} has {} bytes, and at most {} are read: is it the right file?",
                      path_text(path), size, max_bytes);
  };
  const std::uint64_t declared = file.size();
  if (declared > max_bytes) throw too_large(fmt::to_string(declared));

  // Reads to the end of the file and not to its declared size: the file may grow.
  std::string bytes;
  std::size_t size = 0;
  for (;;) {
    if (size == bytes.size()) bytes.resize(std::max<std::size_t>(declared + 1, size + size / 2));
    if (size == bytes.size()) bytes.resize(size + 4096);
    const std::size_t done = file.read(bytes.data() + size, bytes.size() - size);
    if (done == 0) break;
    size += done;
    if (size > max_bytes) throw too_large("more");
  }
  bytes.resize(size);
  return bytes;
}

std::string read_beginning(const fs::path& path, std::size_t most, std::string_view tag) {
  InputFile file(path, tag);
  std::string bytes(std::min<std::uint64_t>(most, file.size()), '\0');
  std::size_t size = 0;
  while (const std::size_t done = file.read(bytes.data() + size, bytes.size() - size)) size += done;
  bytes.resize(size);
  return bytes;
}

void require_writable(const fs::path& path) {
  const PendingFile probe(path);
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
    : target_(target), tag_(tag), descriptor_(open()) {
  if (descriptor_.failed()) fail();
}

int PendingFile::open() {
  struct stat status {};
  if (::stat(target_.c_str(), &status) == 0) require_regular(status, target_, tag_);
  return open_beside(target_, path_);
}

PendingFile::~PendingFile() {
  if (!kept_) ::unlink(path_.c_str());
}

void PendingFile::fail() const {
  throw file_error(tag_, target_, "written", Access::writing, errno, size_);
}

void PendingFile::write(const std::vector<std::string_view>& parts) {
  for (const std::string_view part : parts) size_ += part.size();
  for (const std::string_view part : parts) {
    if (!write_all(descriptor_.get(), part)) fail();
  }
}

void PendingFile::keep() {
  // Without the flush, a crash could leave an empty file with the final name.
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
