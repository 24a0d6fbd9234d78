#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace sluice::fuzz {

/// Aborts the program at the allocation by which more than `limit` bytes are in use, so that the
/// report shows the caller. It counts allocations during its lifetime that fuzz/main.cpp gets from
/// AddressSanitizer; in the tests it counts none. At most one may exist, on one thread.
class AllocationBound {
 public:
  explicit AllocationBound(std::size_t limit) {
    in_use_ = 0;
    limit_ = static_cast<std::int64_t>(limit);
  }
  ~AllocationBound() { limit_ = 0; }
  AllocationBound(const AllocationBound&) = delete;
  AllocationBound& operator=(const AllocationBound&) = delete;

  static void count(std::int64_t bytes) {
    if (limit_ == 0) return;
    in_use_ += bytes;
    if (in_use_ <= limit_) return;
    const long long in_use = in_use_;
    const long long limit = limit_;
    limit_ = 0;  // printing may allocate
    std::fprintf(stderr, "%lld bytes are in use, but the file's size allows for %lld\n", in_use,
                 limit);
    std::abort();
  }

 private:
  inline static std::int64_t in_use_ = 0;
  inline static std::int64_t limit_ = 0;  ///< 0 if none exists
};

}  // namespace sluice::fuzz
