#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace sluice {

/// Bytes that several threads share, each for the time of one piece of work.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t bytes) : bytes_(bytes) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// What one thread has taken; the destructor gives it back.
  class Share {
   public:
    explicit Share(MemoryBudget& budget) : budget_(budget) {}
    ~Share();
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    /// Gives back what it has, then waits until the bytes are free, or until nobody else has any:
    /// work that needs more than the whole budget is done alone.
    void take(std::uint64_t bytes);

   private:
    MemoryBudget& budget_;
    std::uint64_t bytes_ = 0;
  };

 private:
  void give_back(std::uint64_t bytes);

  const std::uint64_t bytes_;
  std::uint64_t in_use_ = 0;
  std::mutex mutex_;
  std::condition_variable given_back_;
};

}  // namespace sluice
