#define SLUICE_WIDTH 8
#include "ops/winograd/kernels_inl.h"

namespace sluice::ops::winograd {

extern const Kernels kAvx2Kernels = kKernels;

}  // namespace sluice::ops::winograd
