#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/timer.h"
#include "conduct/relay.h"
#include "sluice/lab/run.h"

namespace sluice {

/// Throws Error (user) unless that many trainings can each have OpenMP threads of their own.
void require_parallel(int trainings);

/// Runs works beside each other. Each slot is a thread with an equal part of the calling thread's
/// OpenMP threads, and takes the longest of the works that wait. The observer is only called on
/// the thread that waits for a work.
class Pool {
 public:
  struct Work {
    std::string name;
    double cost = 0;  ///< operations
    /// Reports to the observer that it is given, and trains on that rank.
    std::function<void(RunObserver&, int)> run;
  };

  /// Refers to the observer. Each of the `other_ranks` is a slot with all threads.
  Pool(int slots, int other_ranks, RunObserver& observer);
  /// Stops the works, as their observer's should_stop() tells them, and waits for their ends.
  ~Pool() { stop(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void add(std::vector<Work> works);

  /// Waits for a work, and reports to the observer all that the work reports, and by on_running()
  /// which works run. Throws Stopped if the observer wants to stop, and what any of the works
  /// threw; all have ended then.
  void collect(const std::string& name);
  /// Waits for all works as collect() does, but reports on_running() only.
  void wait();

 private:
  enum class State { waiting, running, done };
  struct Job {
    Job(Work its_work, const std::atomic<bool>& stops) : work(std::move(its_work)), relay(stops) {}

    Work work;
    Relay relay;
    State state = State::waiting;
  };

  void serve(int rank);
  Job* take();
  void wait_until(const std::function<bool()>& done, const std::function<void()>& report);
  std::vector<Running> running();
  double seconds_left();
  void stop();

  const int slots_;
  const int other_ranks_;
  const int threads_;  ///< of all slots
  RunObserver& observer_;
  std::atomic<bool> stops_ = false;
  std::mutex mutex_;  ///< guards the members below
  std::condition_variable changed_;
  std::list<Job> jobs_;  ///< a list, because threads refer to its members
  std::exception_ptr error_;
  Timer timer_;
  std::vector<std::jthread> workers_;  ///< last, because they use the other members
};

}  // namespace sluice
