#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "base/random.h"

namespace sluice {

/// Pixels in [0, 1], counted.
inline std::vector<float> random_images(std::size_t count, std::uint32_t stream = 1) {
  const RandomStream random(3, Purpose::drawing, stream, 0);
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = RandomStream::unit(random.bits(static_cast<std::uint32_t>(i))[0]);
  }
  return values;
}

/// The largest difference, relative to the largest value; infinity where one is not a number.
template <class Actual, class Expected>
double relative_error(const Actual& actual, const Expected& expected) {
  EXPECT_EQ(actual.size(), expected.size());
  double largest = 1e-30;
  double worst = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(actual.size(), expected.size()); ++i) {
    largest = std::max(largest, std::abs(double(expected[i])));
    const double difference = std::abs(double(actual[i]) - double(expected[i]));
    worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
  }
  return worst / largest;
}

}  // namespace sluice
