#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>

namespace sluice {

/// That parallel_for() shares its work among.
inline int thread_count() {
  return omp_get_max_threads();
}

/// Of the thread that asks, among those that share its work.
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
