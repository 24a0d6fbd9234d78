#pragma once

#include <chrono>
#include <ctime>

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

/// Measures processor time of all threads since construction.
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
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }

  double start_ = now();
};

}  // namespace sluice
