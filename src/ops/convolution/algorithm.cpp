#include "ops/convolution/algorithm.h"

namespace sluice::ops::convolution {

extern const Algorithm kWinogradAvx2;
extern const Algorithm kDirectAvx2;
extern const Algorithm kWinogradAvx512;

#ifdef __x86_64__

namespace {

bool has_avx512() {
  return __builtin_cpu_supports("avx512f");
}

bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

}  // namespace

const Algorithm* winograd() {
  return has_avx512() ? &kWinogradAvx512 : has_avx2() ? &kWinogradAvx2 : nullptr;
}

const Algorithm* direct() {
  return has_avx2() && !has_avx512() ? &kDirectAvx2 : nullptr;
}

#else

const Algorithm* winograd() {
  return nullptr;
}

const Algorithm* direct() {
  return nullptr;
}

#endif

}  // namespace sluice::ops::convolution
