#include "base/memory_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace sluice {
namespace {

TEST(MemoryBudget, NoMoreIsInUseThanThereIs) {
  MemoryBudget budget(100);
  std::atomic<int> in_use = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        MemoryBudget::Share share(budget);
        share.take(40);
        const int now = in_use += 40;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        in_use -= 40;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(most, 40);
  EXPECT_LE(most, 80);
}

TEST(MemoryBudget, WorkThatNeedsMoreIsDoneAlone) {
  MemoryBudget budget(10);
  std::atomic<bool> done = false;
  std::thread large;
  {
    MemoryBudget::Share small(budget);
    small.take(1);
    small.take(2);  // in place of the first
    large = std::thread([&] {
      MemoryBudget::Share all(budget);
      all.take(1000);
      done = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_FALSE(done);
  }
  large.join();
  MemoryBudget::Share again(budget);
  again.take(10);
}

}  // namespace
}  // namespace sluice
