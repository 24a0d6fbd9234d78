#include "lab/width.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"

namespace sluice {

void require_width(const std::string& model, double width) {
  constexpr double kWidest = 128;
  if (width > 0 && width <= kWidest) return;
  throw user_error("model", "{}: a width of {}: must be above 0, up to {}", model, width, kWidest);
}

int widened(int units, double width) {
  return std::max(8, 8 * static_cast<int>(std::lround(units * width / 8)));
}

}  // namespace sluice
