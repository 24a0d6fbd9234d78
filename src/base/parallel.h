#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>

namespace sluice {

/// Number of threads that parallel_for() uses in the calling thread.
inline int thread_count() {
  return omp_get_max_threads();
}

/// Makes thread_count() correct for the calling thread, and returns it. OpenMP may give a parallel
/// region fewer threads than omp_get_max_threads(): under OMP_THREAD_LIMIT, OMP_DYNAMIC or
/// OMP_MAX_ACTIVE_LEVELS, or in another region. oneDNN's kernels divide their work by that number,
/// and then wait forever at barriers for missing threads. Disables dynamic teams in this thread.
int settle_thread_count();

/// Sets the size of the calling thread's parallel regions to exactly `threads` for its lifetime.
/// Kernels that were compiled for a number of threads must run with that number.
class ThreadTeam {
 public:
  /// Throws Error (user) if OpenMP gives fewer.
  explicit ThreadTeam(int threads);
  ~ThreadTeam() { restore(); }
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

 private:
  void restore() const;

  int threads_before_;
  bool dynamic_before_;
};

/// Number of the calling thread in its team, from 0.
inline std::size_t thread_number() {
  return static_cast<std::size_t>(omp_get_thread_num());
}

/// The grain of loops that read and write each value: 64 KB of floats.
constexpr std::size_t kGrainOfValues = 1 << 14;

/// Calls body(begin, end) on [0, count) in parts of `grain`, on any free thread, and waits. A large
/// grain avoids false sharing of cache lines and runs short loops on one thread. The body must not
/// throw.
template <class Body>
void parallel_for(std::size_t count, std::size_t grain, const Body& body,
                  int threads = thread_count()) {
  const std::ptrdiff_t blocks = static_cast<std::ptrdiff_t>((count + grain - 1) / grain);
  if (blocks <= 1) {
    if (count > 0) body(std::size_t{0}, count);
    return;
  }
#pragma omp parallel num_threads(threads)
  {
#pragma omp for schedule(dynamic)
    for (std::ptrdiff_t block = 0; block < blocks; ++block) {
      const std::size_t begin = static_cast<std::size_t>(block) * grain;
      body(begin, std::min(count, begin + grain));
    }
  }
}

/// Calls body() in a team of this thread alone, in which thread_number() is 0 and thread_count() 1:
/// what runs inside is as in a program of one thread, also where several threads call this at the
/// same time. The body must not throw.
template <class Body>
void run_as_one_thread(const Body& body) {
#pragma omp parallel num_threads(1)
  {
    const ThreadTeam one(1);
    body();
  }
}

}  // namespace sluice
