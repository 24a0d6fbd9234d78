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

  /// False if another process has it. Throws Error (machine) if the file system has no locks.
  bool take();

 private:
  [[noreturn]] void fail() const;

  std::filesystem::path path_;
  std::string tag_;
  Descriptor descriptor_;
};

}  // namespace sluice
