#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

namespace sluice {

/// Zeroed memory, aligned to a cache line, handed out in a fixed order. A network compiled for
/// several batch sizes rewinds it between them, so that all share the memory of the largest: only
/// one of them runs at a time.
class Workspace {
 public:
  /// At least `bytes`, the same memory for the same place in the order.
  float* take(std::size_t bytes);
  void rewind() { next_ = 0; }

 private:
  struct Free {
    void operator()(float* memory) const { std::free(memory); }
  };
  struct Slot {
    std::unique_ptr<float, Free> memory;
    std::size_t bytes;
  };

  std::vector<std::vector<Slot>> slots_;  ///< by place; a larger later request adds, never moves
  std::size_t next_ = 0;
};

}  // namespace sluice
