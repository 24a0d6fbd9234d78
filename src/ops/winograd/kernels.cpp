#include "ops/winograd/kernels.h"

#include <algorithm>

namespace sluice::ops::winograd {

extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;

int tiles_at_once(const Problem& problem) {
  constexpr int kFloats = 1 << 17;  // 512 KB
  const int fit = kFloats / (kPoints * (problem.channels + problem.filters));
  return std::max(6, fit / 6 * 6);
}

std::size_t kernel_size(const Problem& problem) {
  return std::size_t{kPoints} * problem.channels * problem.filters;
}

std::size_t scratch_size(const Problem& problem) {
  const int tiles = tiles_at_once(problem);
  return kPoints * (point_stride(tiles, problem.channels) + point_stride(tiles, problem.filters));
}

const Kernels* kernels() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return &kAvx512Kernels;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &kAvx2Kernels;
#endif
  return nullptr;
}

}  // namespace sluice::ops::winograd
