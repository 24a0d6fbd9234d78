#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/fail.h"
#include "base/text.h"

namespace sluice {
namespace {

/// "[file] runs/a/b: cannot be written: No space left on device: free some space".
Error file_error(const std::filesystem::path& path, const char* cannot, int reason) {
  const auto [fault, mend] = [&]() -> std::pair<Fault, const char*> {
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
        return {Fault::machine, ": free some space"};
      default:
        return {Fault::machine, ""};
    }
  }();
  return {fault, "file",
          fmt::format("{}: cannot be {}: {}{}", one_line(path.string(), 4096), cannot,
                      std::strerror(reason), mend)};
}

/// Closed and, unless it was kept, deleted when it goes out of scope.
class NewFile {
 public:
  explicit NewFile(const std::filesystem::path& target) : target_(target) {
    // A name of an earlier, killed program may be left over: take the next.
    for (int n = 0; n < 10'000; ++n) {
      path_ = target.parent_path() /
              fmt::format(".{}.{}-{}.part", target.filename().string(), getpid(), n);
      descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor_ >= 0) return;
      if (errno != EEXIST) break;
    }
    fail();
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!kept_) ::unlink(path_.c_str());
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t done = ::write(descriptor_, bytes.data(), bytes.size());
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) fail();
      bytes.remove_prefix(static_cast<std::size_t>(done));
    }
  }

  void keep() {
    // Without the flush a crash could leave an empty file with the final name.
    if (::fsync(descriptor_) != 0) fail();
    if (::close(std::exchange(descriptor_, -1)) != 0) fail();
    if (::rename(path_.c_str(), target_.c_str()) != 0) fail();
    kept_ = true;
  }

 private:
  [[noreturn]] void fail() const { throw file_error(target_, "written", errno); }

  std::filesystem::path target_;
  std::filesystem::path path_;
  int descriptor_ = -1;
  bool kept_ = false;
};

/// Makes a rename in the folder last through a crash.
void flush_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;  // a folder that may be written but not read
  const int reason = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // EINVAL: some network file systems cannot flush folders.
  if (reason != 0 && reason != EINVAL) throw file_error(folder, "flushed to the disk", reason);
}

}  // namespace

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  NewFile file(path);
  file.write(bytes);
  file.keep();
  flush_folder(path.parent_path());
}

std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  struct Descriptor {
    int value;
    ~Descriptor() {
      if (value >= 0) ::close(value);
    }
  };
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.value < 0) throw file_error(path, "read", errno);
  struct stat status {};
  if (::fstat(file.value, &status) != 0) throw file_error(path, "read", errno);
  const auto too_large = [&](std::string_view size) {
    return user_error("file", "{} has {} bytes, and at most {} are read: is it the right file?",
                      one_line(path.string(), 4096), size, max_bytes);
  };
  const auto declared = S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0;
  if (declared > max_bytes) throw too_large(fmt::to_string(declared));

  // Up to the end of the file, whatever its declared size: it may grow, or be a pipe.
  std::string bytes;
  std::size_t size = 0;
  for (;;) {
    if (size == bytes.size()) bytes.resize(std::max<std::size_t>(declared + 1, size + size / 2));
    if (size == bytes.size()) bytes.resize(size + 4096);
    const ssize_t done = ::read(file.value, bytes.data() + size, bytes.size() - size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) throw file_error(path, "read", errno);
    if (done == 0) break;
    size += static_cast<std::size_t>(done);
    if (size > max_bytes) throw too_large("more");
  }
  bytes.resize(size);
  return bytes;
}

bool make_folder(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0777) == 0) return true;
  if (errno == EEXIST) return false;
  throw file_error(path, "made", errno);
}

}  // namespace sluice
