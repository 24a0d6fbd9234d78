#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <limits>
#include <mutex>
#include <stop_token>
#include <vector>

namespace sluice {

/// How far the backward passes of several shards are, which compute gradients from the last layer
/// to the first.
class BackwardProgress {
 public:
  void start(std::size_t shards) {
    begins_.assign(shards, std::numeric_limits<std::size_t>::max());
  }
  /// The shard has computed its gradients from `begin` on. Threads of all shards call it.
  void tell(std::size_t shard, std::size_t begin) {
    {
      const std::scoped_lock lock(mutex_);
      begins_[shard] = begin;
    }
    changed_.notify_one();
  }
  /// Waits until all shards have their gradients from `begin` on. Returns false if it was stopped.
  bool wait_for(std::size_t begin, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const auto is_there = [&] {
      return std::ranges::all_of(begins_, [&](std::size_t each) { return each <= begin; });
    };
    return changed_.wait(lock, stop, is_there) && !stop.stop_requested();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<std::size_t> begins_;  ///< by shard
};

}  // namespace sluice
