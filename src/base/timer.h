#pragma once

#include <unistd.h>

#include <chrono>
#include <ctime>

#include "base/parallel.h"

namespace sluice {

/// Measures wall-clock time since construction.
class Timer {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  /// Returns seconds() and restarts.
  double lap() {
    const double passed = seconds();
    *this = Timer();
    return passed;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Measures processor time since construction: of all threads if it is the program's first thread
/// that asks. Others may work beside another thread: then it estimates, by that thread's own time,
/// the time of its team.
class CpuTimer {
 public:
  double seconds() const { return now() - start_; }
  double lap() {
    const double passed = seconds();
    *this = CpuTimer();
    return passed;
  }

 private:
  static double now() {
    const bool is_first = ::gettid() == ::getpid();
    timespec time{};
    clock_gettime(is_first ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_THREAD_CPUTIME_ID, &time);
    const double seconds =
        static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
    return is_first ? seconds : seconds * thread_count();
  }

  double start_ = now();
};

}  // namespace sluice
