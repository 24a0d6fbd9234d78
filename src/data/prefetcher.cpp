#include "data/prefetcher.h"

#include <utility>

namespace sluice {

Prefetcher::Prefetcher(std::function<void(Batch&)> fill)
    : fill_(std::move(fill)), thread_([this] { work(); }) {}

Prefetcher::~Prefetcher() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

const Batch& Prefetcher::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return filled_ > used_ || error_; });
  if (filled_ == used_) std::rethrow_exception(error_);
  const Batch& batch = batches_[used_++ % 2];
  lock.unlock();
  changed_.notify_all();
  return batch;
}

void Prefetcher::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    // The caller uses batch used_ - 1, so the other one may be filled.
    changed_.wait(lock, [this] { return ends_ || filled_ == used_; });
    if (ends_) return;
    Batch& batch = batches_[filled_ % 2];
    lock.unlock();
    std::exception_ptr error;
    try {
      fill_(batch);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    error_ = error;
    if (!error_) ++filled_;
    changed_.notify_all();
    if (error_) return;
  }
}

}  // namespace sluice
