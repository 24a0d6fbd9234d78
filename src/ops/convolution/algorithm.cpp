#include "ops/convolution/algorithm.h"

#include "base/simd.h"

namespace sluice::ops::convolution {

extern const Algorithm kWinogradAvx2;
extern const GradientAlgorithm kDirectGradientAvx2;
extern const Algorithm kWinogradAvx512;

#ifdef __x86_64__

const Algorithm* winograd() {
  return has_avx512() ? &kWinogradAvx512 : has_avx2() ? &kWinogradAvx2 : nullptr;
}

const GradientAlgorithm* direct_gradient() {
  return has_avx2() && !has_avx512() ? &kDirectGradientAvx2 : nullptr;
}

#else

const Algorithm* winograd() {
  return nullptr;
}

const GradientAlgorithm* direct_gradient() {
  return nullptr;
}

#endif

}  // namespace sluice::ops::convolution
