#define SLUICE_WIDTH 16
#include "ops/convolution/winograd.h"

namespace sluice::ops::convolution {

extern const Algorithm kWinogradAvx512 = winograd_algorithm("winograd, avx512");

}  // namespace sluice::ops::convolution
