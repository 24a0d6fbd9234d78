#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

namespace sluice {

/// Zeroed memory, aligned to a cache line, handed out in a fixed order. A network compiled for
/// several batch sizes calls rewind() before each, so that all sizes share the memory of the
/// largest: only one of them runs at a time.
class Workspace {
 public:
  /// Returns at least `bytes`; the n-th call after rewind() returns the same memory each time.
  float* take(std::size_t bytes);
  void rewind() { next_ = 0; }
  /// Size of all memory that it has.
  std::size_t bytes() const;

 private:
  struct Free {
    void operator()(float* memory) const { std::free(memory); }
  };
  struct Slot {
    std::unique_ptr<float, Free> memory;
    std::size_t bytes;
  };

  std::vector<std::vector<Slot>> slots_;  ///< by position; a larger request adds a slot, never
                                          ///< moves one
  std::size_t next_ = 0;
};

}  // namespace sluice
