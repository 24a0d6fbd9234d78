#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "data/batching.h"

namespace sluice {

/// Fills each batch on a thread of its own while the caller uses the one before. It is at most one
/// batch ahead, and reuses the memory of two.
class Prefetcher {
 public:
  /// Starts to fill. `fill` is called by one thread only, and must not use OpenMP: a second team
  /// would compete with the caller's.
  explicit Prefetcher(std::function<void(Batch&)> fill);
  /// Waits for the batch that is being filled.
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// Returns the next batch, which is valid until the next call. Throws what `fill` threw for it.
  const Batch& next();

 private:
  void work();

  std::function<void(Batch&)> fill_;
  Batch batches_[2];
  std::mutex mutex_;  ///< guards the members below
  std::condition_variable changed_;
  std::size_t filled_ = 0;  ///< number of batches
  std::size_t used_ = 0;    ///< number of batches that next() returned
  bool ends_ = false;
  std::exception_ptr error_;  ///< of the batch after filled_
  std::thread thread_;        ///< last, because it uses the other members
};

}  // namespace sluice
