#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "base/descriptor.h"

namespace sluice::fuzz {

/// A file in memory with a path, for readers that need a file.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    const ssize_t done = ::write(descriptor_.get(), bytes.data(), bytes.size());
    if (done != static_cast<ssize_t>(bytes.size())) throw std::runtime_error("no file in memory");
  }

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_.get()); }

 private:
  Descriptor descriptor_;
};

}  // namespace sluice::fuzz
