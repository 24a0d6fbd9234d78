#include "conduct/pool.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/fail.h"
#include "base/parallel.h"

namespace sluice {

void require_parallel(int trainings) {
  if (trainings > 1 && omp_get_proc_bind() != omp_proc_bind_false) {
    // OpenMP binds the first thread of every team to the same processor.
    throw user_error("parallel",
                     "OMP_PROC_BIND, OMP_PLACES or GOMP_CPU_AFFINITY binds all {} trainings to the "
                     "same processors: unset them",
                     trainings);
  }
  const int threads = settle_thread_count();
  if (trainings >= 1 && trainings <= threads) return;
  throw user_error("parallel",
                   "{} trainings beside each other: give a number from 1 to that of the OpenMP "
                   "threads, {}",
                   trainings, threads);
}

Pool::Pool(int slots, int other_ranks, RunObserver& observer)
    : slots_(slots), other_ranks_(other_ranks), threads_(thread_count()), observer_(observer) {}

void Pool::add(std::vector<Work> works) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.empty()) timer_ = Timer();
    for (Work& work : works) jobs_.emplace_back(std::move(work), stops_);
  }
  changed_.notify_all();
  if (!workers_.empty()) return;
  for (int slot = 0; slot < slots_; ++slot) workers_.emplace_back([this] { serve(0); });
  for (int rank = 1; rank <= other_ranks_; ++rank) {
    workers_.emplace_back([this, rank] { serve(rank); });
  }
}

/// Runs works on this thread until the pool stops. A work that fails stops all.
void Pool::serve(int rank) {
  try {
    const ThreadTeam team(rank == 0 ? threads_ / slots_ : threads_);
    while (Job* job = take()) {
      job->work.run(job->relay, rank);
      {
        const std::lock_guard lock(mutex_);
        job->state = State::done;
      }
      changed_.notify_all();
    }
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      stops_ = true;
    }
    changed_.notify_all();
  }
}

/// Waits for a work, and returns null when the pool stops.
Pool::Job* Pool::take() {
  std::unique_lock lock(mutex_);
  const auto longest = [&] {
    const auto rank = [](const Job& job) {
      return job.state == State::waiting ? job.work.cost : -1;
    };
    const auto job = std::ranges::max_element(jobs_, {}, rank);
    return job != jobs_.end() && job->state == State::waiting ? &*job : nullptr;
  };
  changed_.wait(lock, [&] { return stops_ || longest() != nullptr; });
  if (stops_) return nullptr;
  Job* job = longest();
  job->state = State::running;
  return job;
}

void Pool::collect(const std::string& name) {
  Job& job = *std::ranges::find(jobs_, name, [](const Job& each) { return each.work.name; });
  wait_until([&] { return job.state == State::done; }, [&] { job.relay.pass_on(observer_); });
}

void Pool::wait() {
  wait_until(
      [&] {
        return std::ranges::all_of(jobs_, [](const Job& job) { return job.state == State::done; });
      },
      [] {});
}

void Pool::wait_until(const std::function<bool()>& done, const std::function<void()>& report) {
  constexpr std::chrono::milliseconds kPause(100);
  std::unique_lock lock(mutex_);
  while (!done() && !error_) {
    lock.unlock();
    report();
    if (observer_.should_stop()) {
      stop();
      throw Stopped();
    }
    observer_.on_running(running(), seconds_left());
    lock.lock();
    changed_.wait_for(lock, kPause, [&] { return done() || error_; });
  }
  const std::exception_ptr error = error_;
  lock.unlock();
  if (error) {
    stop();
    std::rethrow_exception(error);
  }
  report();
}

std::vector<Running> Pool::running() {
  const std::lock_guard lock(mutex_);
  std::vector<Running> all;
  for (const Job& job : jobs_) {
    if (job.state == State::running) all.push_back({job.work.name, job.relay.progress()});
  }
  return all;
}

/// Estimates the time until all works are done, by the speed so far; 0 before the first step.
double Pool::seconds_left() {
  const std::lock_guard lock(mutex_);
  double done = 0;
  double left = 0;
  double of_longest = 0;  // a work that runs alone in the end is slower than the slots together
  for (const Job& job : jobs_) {
    const Relay::Shares shares = job.relay.shares();
    done += job.work.cost * shares.done_now;
    if (job.state == State::done) continue;
    left += job.work.cost * (1 - shares.done);
    of_longest = std::max(of_longest, job.relay.progress().seconds_left);
  }
  return done > 0 ? std::max(of_longest, timer_.seconds() * left / done) : of_longest;
}

void Pool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stops_ = true;
  }
  changed_.notify_all();
  workers_.clear();  // waits for them
}

}  // namespace sluice
