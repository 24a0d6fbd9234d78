#include "conduct/pool.h"

#include <thread>

#include "base/fail.h"
#include "base/parallel.h"
#include "conduct/stopping.h"
#include "tests/scratch.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Keeps the notes, and checks that only the thread that made it calls it.
class NotesOfOneThread : public RunObserver {
 public:
  bool should_stop() override {
    EXPECT_EQ(std::this_thread::get_id(), own_);
    return wants_to_stop;
  }
  void on_note(const std::string& line) override {
    EXPECT_EQ(std::this_thread::get_id(), own_);
    notes.push_back(line);
  }
  void on_running(const std::vector<Running>& all, double seconds) override {
    EXPECT_EQ(std::this_thread::get_id(), own_);
    seconds_left.push_back(seconds);
    if (!all.empty()) last = all.back();
  }

  bool wants_to_stop = false;
  std::vector<std::string> notes;
  std::vector<double> seconds_left;
  Running last;

 private:
  std::thread::id own_ = std::this_thread::get_id();
};

/// Waits until the work should stop, and ends as a training does then.
void work_until_stopped(RunObserver& observer, int) {
  for (;;) {
    stop_if_wanted(observer);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void note_and_wait(RunObserver& observer, const std::string& line) {
  observer.on_note(line);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

TEST(Pool, TakesTheLongestWorkFirstAndReportsInTheOrderOfCollection) {
  NotesOfOneThread observer;
  Pool pool(1, 0, observer);
  std::vector<std::string> order;
  const auto work = [&](const std::string& name, double cost) {
    return Pool::Work{name, cost, [&order, name](RunObserver& its, int) {
                        order.push_back(name);
                        note_and_wait(its, name + " 1");
                        note_and_wait(its, name + " 2");
                      }};
  };
  pool.add({work("short", 1), work("long", 3), work("first of two", 2), work("second of two", 2)});
  pool.collect("short");
  EXPECT_THAT(observer.notes, ElementsAre("short 1", "short 2"));
  pool.add({work("later", 1)});
  pool.wait();
  EXPECT_EQ(observer.notes.size(), 2) << "wait() reports no notes";
  pool.collect("long");
  EXPECT_THAT(observer.notes, ElementsAre("short 1", "short 2", "long 1", "long 2"));
  EXPECT_THAT(order, ElementsAre("long", "first of two", "second of two", "short", "later"));
}

TEST(Pool, GivesEachWorkItsPartOfTheThreadsAndLeavesTheCallersOwn) {
  const ThreadTeam team(2);
  NotesOfOneThread observer;
  Pool pool(2, 0, observer);
  std::array<int, 2> threads{};
  std::atomic<int> begun = 0;
  const auto work = [&](int& to) {
    return [&](RunObserver&, int) {
      ++begun;
      while (begun < 2) std::this_thread::yield();  // both run
      to = settle_thread_count();
    };
  };
  pool.add({{"a", 1, work(threads[0])}, {"b", 1, work(threads[1])}});
  pool.wait();
  EXPECT_THAT(threads, ElementsAre(1, 1));
  EXPECT_EQ(thread_count(), 2);
}

TEST(Pool, AnErrorEndsTheOthersAndIsThrown) {
  const ThreadTeam team(2);
  NotesOfOneThread observer;
  Pool pool(2, 0, observer);
  bool has_begun = false;
  std::atomic<bool> is_stopped = false;
  pool.add({{"endless", 3,
             [&](RunObserver& its, int) {
               while (!its.should_stop()) std::this_thread::yield();
               is_stopped = true;
             }},
            {"fails", 2, [](RunObserver&, int) { throw user_error("train", "it fails"); }},
            {"waits", 1, [&](RunObserver&, int) { has_begun = true; }}});
  for (int i = 0; i < 10'000 && !is_stopped; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(is_stopped) << "also while this thread does something else";
  EXPECT_THAT(error_of(Fault::user, [&] { pool.collect("endless"); }), HasSubstr("it fails"));
  EXPECT_THAT(error_of(Fault::user, [&] { pool.wait(); }), HasSubstr("it fails"));
  EXPECT_FALSE(has_begun);
}

TEST(Pool, StopsAllWorksIfItsObserverWantsIt) {
  const ThreadTeam team(2);
  NotesOfOneThread observer;
  Pool pool(2, 0, observer);
  std::atomic<int> saved = 0;
  const auto work = [&](RunObserver& its, int) {
    try {
      work_until_stopped(its, 0);
    } catch (const Stopped&) {
      ++saved;
      throw;
    }
  };
  pool.add({{"a", 1, work}, {"b", 1, work}});
  std::jthread([&] { std::this_thread::sleep_for(std::chrono::milliseconds(50)); }).join();
  observer.wants_to_stop = true;
  EXPECT_THROW(pool.collect("a"), Stopped);
  EXPECT_EQ(saved, 2) << "before collect() returned";
}

TEST(Pool, ItsEndStopsWhatRuns) {
  NotesOfOneThread observer;
  Pool pool(1, 0, observer);
  pool.add({{"endless", 1, work_until_stopped}, {"waits", 1, work_until_stopped}});
}

TEST(Pool, EstimatesTheTimeLeftWithoutWhatACheckpointHad) {
  NotesOfOneThread observer;
  Pool pool(1, 0, observer);
  std::atomic<bool> ends = false;
  pool.add({{"half", 1,
             [&](RunObserver& its, int) {
               // Four of ten epochs are from a checkpoint, and one is trained.
               its.on_step({.epoch = 5, .epochs = 10, .step = 0, .steps = 4});
               std::this_thread::sleep_for(std::chrono::milliseconds(20));
               its.on_step({.epoch = 6, .epochs = 10, .step = 0, .steps = 4});
               while (!ends) std::this_thread::yield();
             }},
            {"next", 0.5, [](RunObserver&, int) {}}});
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    ends = true;
  });
  const Timer timer;
  pool.wait();
  EXPECT_EQ(observer.last.name, "half");
  EXPECT_EQ(observer.last.progress.epoch, 6);
  // A tenth took the time so far, and five tenths and a half of the work are left.
  ASSERT_FALSE(observer.seconds_left.empty());
  EXPECT_GT(observer.seconds_left.front(), 10 * 0.1);
  EXPECT_LT(observer.seconds_left.front(), 10 * (timer.seconds() + 0.2));
}

TEST(Pool, RefusesMoreTrainingsThanThreads) {
  const ThreadTeam team(2);
  for (const int wrong : {-1, 0, 3}) {
    EXPECT_EQ(error_of(Fault::user, [&] { require_parallel(wrong); }),
              "[parallel] " + std::to_string(wrong) +
                  " trainings beside each other: give a number from 1 to that of the OpenMP "
                  "threads, 2");
  }
  require_parallel(1);
  require_parallel(2);
}

}  // namespace
}  // namespace sluice
