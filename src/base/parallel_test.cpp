#include "base/parallel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/scratch.h"

namespace sluice {
namespace {

/// Runs the work in a new thread, so that its OpenMP settings end with it.
template <class Work>
void in_thread(const Work& work) {
  std::thread(work).join();
}

int team_size() {
  int size = 0;
#pragma omp parallel
  {
#pragma omp single
    size = omp_get_num_threads();
  }
  return size;
}

TEST(ThreadCount, IsWhatARegionGetsWhereTeamsAreDynamic) {
  in_thread([] {
    omp_set_num_threads(64);
    omp_set_dynamic(1);
    const int settled = settle_thread_count();
    EXPECT_EQ(settled, team_size());
    EXPECT_EQ(settled, thread_count());
    EXPECT_EQ(omp_get_dynamic(), 0);
  });
}

TEST(ThreadCount, IsOneWhereRegionsMayNotNest) {
  int nested = 0;
#pragma omp parallel num_threads(2)
  {
#pragma omp master
    nested = settle_thread_count();
  }
  EXPECT_EQ(nested, 1);
}

TEST(ThreadTeam, HasThatManyThreadsAndLeavesTheSettings) {
  in_thread([] {
    omp_set_num_threads(3);
    omp_set_dynamic(1);
    {
      const ThreadTeam team(2);
      EXPECT_EQ(team_size(), 2);
    }
    EXPECT_EQ(thread_count(), 3);
    EXPECT_NE(omp_get_dynamic(), 0);
  });
}

TEST(ThreadTeam, IsRefusedWithinAnotherRegion) {
  std::string what;
  int after = 0;
#pragma omp parallel num_threads(2)
  {
#pragma omp master
    {
      const int before = omp_get_max_threads();
      what = error_of(Fault::user, [] { const ThreadTeam team(2); });
      after = omp_get_max_threads() - before;
    }
  }
  EXPECT_THAT(what, testing::HasSubstr("compiled for 2 threads runs where OpenMP gives 1"));
  EXPECT_EQ(after, 0);
}

}  // namespace
}  // namespace sluice
