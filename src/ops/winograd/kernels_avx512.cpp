#define SLUICE_WIDTH 16
#include "ops/winograd/kernels_inl.h"

namespace sluice::ops::winograd {

extern const Kernels kAvx512Kernels = kKernels;

}  // namespace sluice::ops::winograd
