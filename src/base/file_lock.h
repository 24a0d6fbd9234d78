#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/descriptor.h"

namespace sluice {

/// A lock for one process at a time. The system releases it when the process ends, for any reason.
class FileLock {
 public:
  /// Creates the file if it is missing; does not take the lock. Throws Error (machine).
  FileLock(const std::filesystem::path& path, std::string_view tag);

  enum class Result {
    taken,
    held,         ///< another process has it
    unsupported,  ///< the file system has no locks
  };
  /// Throws Error (machine) if locking fails for another reason.
  Result take();

  /// Releases the lock and closes the file, so that any file system can delete it.
  void release() { descriptor_.close(); }

 private:
  [[noreturn]] void fail() const;

  std::filesystem::path path_;
  std::string tag_;
  Descriptor descriptor_;
};

}  // namespace sluice
