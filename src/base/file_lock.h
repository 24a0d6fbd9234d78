#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/descriptor.h"

namespace sluice {

/// A lock for one process at a time. The system releases it with the process, however that ends.
class FileLock {
 public:
  /// Makes the file where it is missing; does not take the lock. Throws Error (machine).
  FileLock(const std::filesystem::path& path, std::string_view tag);

  enum class Result {
    taken,
    held,         ///< by another process
    unsupported,  ///< by the file system
  };
  /// Throws Error (machine) for any other reason.
  Result take();

  /// Gives the lock back and closes the file, so that it can be deleted on any file system.
  void release() { descriptor_.close(); }

 private:
  [[noreturn]] void fail() const;

  std::filesystem::path path_;
  std::string tag_;
  Descriptor descriptor_;
};

}  // namespace sluice
