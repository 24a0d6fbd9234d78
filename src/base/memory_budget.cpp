#include "base/memory_budget.h"

namespace sluice {

void MemoryBudget::give_back(std::uint64_t bytes) {
  if (bytes == 0) return;
  {
    const std::lock_guard lock(mutex_);
    in_use_ -= bytes;
  }
  given_back_.notify_all();
}

MemoryBudget::Share::~Share() {
  budget_.give_back(bytes_);
}

void MemoryBudget::Share::take(std::uint64_t bytes) {
  budget_.give_back(bytes_);
  std::unique_lock lock(budget_.mutex_);
  budget_.given_back_.wait(lock, [&] {
    return budget_.in_use_ == 0 ||
           (budget_.in_use_ <= budget_.bytes_ && bytes <= budget_.bytes_ - budget_.in_use_);
  });
  budget_.in_use_ += bytes;
  bytes_ = bytes;
}

}  // namespace sluice
