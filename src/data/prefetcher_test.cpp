#include "data/prefetcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace sluice {
namespace {

using namespace std::chrono_literals;

TEST(Prefetcher, ReturnsBatchesInOrder) {
  int filled = 0;
  Prefetcher prefetcher([&](Batch& batch) { batch.labels = {filled++}; });
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(prefetcher.next().labels.at(0), i);
}

TEST(Prefetcher, FillsOneBatchAheadAndKeepsTheOneInUse) {
  std::atomic<int> filled = 0;
  Prefetcher prefetcher([&](Batch& batch) { batch.labels = {filled++}; });
  for (int i = 0; i < 3; ++i) {
    const Batch& batch = prefetcher.next();
    while (filled < i + 2) std::this_thread::yield();  // beside the use of this batch
    std::this_thread::sleep_for(2ms);
    EXPECT_EQ(filled, i + 2);
    EXPECT_EQ(batch.labels.at(0), i);
  }
}

TEST(Prefetcher, ThrowsWhatFillingThrewAfterTheBatchesBeforeIt) {
  int filled = 0;
  Prefetcher prefetcher([&](Batch& batch) {
    if (filled == 2) throw std::runtime_error("no third batch");
    batch.labels = {filled++};
  });
  EXPECT_EQ(prefetcher.next().labels.at(0), 0);
  EXPECT_EQ(prefetcher.next().labels.at(0), 1);
  for (int i = 0; i < 2; ++i) {
    try {
      prefetcher.next();
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "no third batch");
    }
  }
}

TEST(Prefetcher, EndsWhileItFillsOrWaitsOrAfterAnError) {
  for (int i = 0; i < 100; ++i) {
    Prefetcher busy([](Batch&) { std::this_thread::sleep_for(100us); });
    Prefetcher waiting([](Batch&) {});
    Prefetcher broken([](Batch&) { throw 1; });
    waiting.next();
  }
}

}  // namespace
}  // namespace sluice
