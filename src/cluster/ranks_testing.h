#pragma once

#include <condition_variable>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "sluice/communicator.h"

namespace sluice {

/// Ranks that are threads of this process.
class ThreadRanks {
 public:
  /// Calls body(communicator) for so many ranks at the same time, and waits. Rethrows an exception
  /// of any.
  template <class Body>
  static void run(int count, const Body& body) {
    ThreadRanks ranks(count);
    std::vector<std::exception_ptr> errors(static_cast<std::size_t>(count));
    {
      std::vector<std::jthread> threads;
      for (int rank = 0; rank < count; ++rank) {
        threads.emplace_back([&, rank] {
          Rank own(ranks, rank);
          try {
            body(own);
          } catch (...) {
            errors[static_cast<std::size_t>(rank)] = std::current_exception();
          }
        });
      }
    }
    for (const std::exception_ptr& error : errors) {
      if (error) std::rethrow_exception(error);
    }
  }

 private:
  explicit ThreadRanks(int count) : count_(count) {}

  struct Rank : Communicator {
    Rank(ThreadRanks& all, int own) : ranks(all), number(own) {}
    int rank() const override { return number; }
    int size() const override { return ranks.count_; }
    void exchange(int partner, std::span<const std::byte> send,
                  std::span<std::byte> receive) override {
      std::unique_lock lock(ranks.mutex_);
      ranks.sent_[{number, partner}].emplace_back(send.begin(), send.end());
      ranks.changed_.notify_all();
      auto& waiting = ranks.sent_[{partner, number}];
      ranks.changed_.wait(lock, [&] { return !waiting.empty(); });
      std::ranges::copy(waiting.front(), receive.begin());
      waiting.erase(waiting.begin());
    }

    ThreadRanks& ranks;
    int number;
  };

  int count_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<int, int>, std::vector<std::vector<std::byte>>> sent_;  ///< from, to
};

}  // namespace sluice
