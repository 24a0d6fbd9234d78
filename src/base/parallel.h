#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>

namespace sluice {

/// That parallel_for() shares its work among.
inline int thread_count() {
  return omp_get_max_threads();
}

/// Calls body(begin, end) on consecutive parts of [0, count), one a thread, and waits. Parts start
/// at multiples of `grain`, so that threads do not share cache lines and short loops stay on one.
/// The body must not throw.
template <class Body>
void parallel_for(std::size_t count, std::size_t grain, const Body& body) {
  const std::ptrdiff_t blocks = static_cast<std::ptrdiff_t>((count + grain - 1) / grain);
  if (blocks <= 1) {
    if (count > 0) body(std::size_t{0}, count);
    return;
  }
#pragma omp parallel
  {
#pragma omp for schedule(static)
    for (std::ptrdiff_t block = 0; block < blocks; ++block) {
      const std::size_t begin = static_cast<std::size_t>(block) * grain;
      body(begin, std::min(count, begin + grain));
    }
  }
}

}  // namespace sluice
