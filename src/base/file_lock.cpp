#include "base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

#include "base/fail.h"
#include "base/text.h"

namespace sluice {

FileLock::FileLock(const std::filesystem::path& path, std::string_view tag)
    : path_(path),
      tag_(tag),
      descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (descriptor_.failed()) fail();
}

FileLock::Result FileLock::take() {
  while (::flock(descriptor_.get(), LOCK_EX | LOCK_NB) != 0) {
    switch (errno) {
      case EWOULDBLOCK:
        return Result::held;
      case ENOLCK:
      case ENOSYS:
      case EOPNOTSUPP:
        return Result::unsupported;
      case EINTR:
        continue;
      default:
        fail();
    }
  }
  return Result::taken;
}

void FileLock::fail() const {
  throw machine_error(tag_, "cannot lock {}: {}: check the folder's permissions", path_text(path_),
                      std::strerror(errno));
}

}  // namespace sluice
