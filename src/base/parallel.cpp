#include "base/parallel.h"

#include "base/fail.h"

namespace sluice {
namespace {

/// Number of threads that a parallel region of size `wanted` gets.
int threads_given(int wanted) {
  int given = 1;
#pragma omp parallel num_threads(wanted)
  {
#pragma omp single
    given = omp_get_num_threads();
  }
  return given;
}

}  // namespace

int settle_thread_count() {
  if (omp_get_dynamic() != 0) omp_set_dynamic(0);
  const int promised = omp_get_max_threads();
  const int given = promised > 1 ? threads_given(promised) : promised;
  if (given != promised) omp_set_num_threads(given);
  return given;
}

ThreadTeam::ThreadTeam(int threads)
    : threads_before_(omp_get_max_threads()), dynamic_before_(omp_get_dynamic() != 0) {
  if (dynamic_before_) omp_set_dynamic(0);
  if (threads_before_ != threads) omp_set_num_threads(threads);
  // Limits do not change while a program runs, so a thread asks once for each size of team.
  thread_local int given = 1;
  if (threads > 1 && given != threads) given = threads_given(threads);
  if (threads <= 1 || (given == threads && omp_in_parallel() == 0)) return;
  const int found = omp_in_parallel() != 0 ? 1 : given;
  restore();
  throw user_error("threads",
                   "a model compiled for {} threads runs where OpenMP gives {}: compile it in the "
                   "same parallel region or under the same limits",
                   threads, found);
}

void ThreadTeam::restore() const {
  if (omp_get_max_threads() != threads_before_) omp_set_num_threads(threads_before_);
  if (dynamic_before_) omp_set_dynamic(1);
}

}  // namespace sluice
