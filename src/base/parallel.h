#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>

namespace sluice {

/// Number of threads that parallel_for() uses in the calling thread.
inline int thread_count() {
  return omp_get_max_threads();
}

/// Makes thread_count() true for the calling thread, and returns it. OpenMP may give a parallel
/// region fewer threads than omp_get_max_threads() promises: under OMP_THREAD_LIMIT, OMP_DYNAMIC or
/// OMP_MAX_ACTIVE_LEVELS, or within another region. Kernels of oneDNN divide their work by the
/// promise and wait at barriers for threads that never come. Turns off dynamic teams in this
/// thread.
int settle_thread_count();

/// For its lifetime, regions of the calling thread have exactly `threads` threads. Work that was
/// divided for so many when it was compiled runs in one of these.
class ThreadTeam {
 public:
  /// Throws Error (user) where OpenMP gives fewer.
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

/// Calls body(begin, end) on [0, count) in parts of `grain`, each on whatever thread is free, and
/// waits. Large enough a grain keeps threads from sharing cache lines, and short loops on one. The
/// body must not throw.
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

}  // namespace sluice
