#define SLUICE_WIDTH 8
#include "ops/convolution/direct_gradient.h"
#include "ops/convolution/winograd.h"

namespace sluice::ops::convolution {

extern const Algorithm kWinogradAvx2 = winograd_algorithm("winograd, avx2");
extern const GradientAlgorithm kDirectGradientAvx2 = direct_gradient_algorithm();

}  // namespace sluice::ops::convolution
