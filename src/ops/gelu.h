#pragma once

#include <cstddef>

namespace sluice::ops {

// GELU, y * Phi(y) with the normal distribution's Phi (Hendrycks and Gimpel 2016), for operations
// that apply it to their results. Phi is by Abramowitz and Stegun 1964, 7.1.26: its error is at
// most 8e-8. NaN stays NaN.

/// Computes it in place.
void gelu(float* values, std::size_t count);

/// Computes diff *= the derivative of GELU at src * scale + offset, for pixels of some lanes, in
/// place. scale and offset are by lane.
void gelu_backward(const float* src, const float* scale, const float* offset, std::size_t pixels,
                   std::size_t lanes, float* diff);

}  // namespace sluice::ops
