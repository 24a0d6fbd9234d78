#define SLUICE_WIDTH 8
#include "ops/convolution/direct.h"
#include "ops/convolution/winograd.h"

namespace sluice::ops::convolution {

extern const Algorithm kWinogradAvx2 = winograd_algorithm("winograd, avx2");
extern const Algorithm kDirectAvx2 = direct_algorithm("direct, avx2");

}  // namespace sluice::ops::convolution
