#include "ops/gelu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace sluice::ops {
namespace {

double phi(double y) {
  return 0.5 * std::erfc(-y / std::sqrt(2.0));
}

TEST(Gelu, IsCloseToItsDefinition) {
  std::vector<float> points;
  for (int i = -2000; i <= 2000; ++i) points.push_back(static_cast<float>(i) / 100);
  std::vector<float> values = points;
  gelu(values.data(), values.size());
  std::vector<float> slopes(points.size(), 2.f);
  const float scale = 2;
  const float offset = -1;
  gelu_backward(points.data(), &scale, &offset, points.size(), 1, slopes.data());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double y = points[i];
    EXPECT_NEAR(values[i], y * phi(y), 2e-7 * std::max(1.0, std::abs(y))) << y;
    const double z = 2 * y - 1;
    const double slope = phi(z) + z * std::exp(-z * z / 2) / std::sqrt(2 * M_PI);
    EXPECT_NEAR(slopes[i], 2 * slope, 4e-7) << y;
  }
}

TEST(Gelu, KeepsNaN) {
  std::vector<float> values{NAN, 1, 1e30f, -1e30f};
  gelu(values.data(), values.size());
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_EQ(values[2], 1e30f);
  EXPECT_EQ(values[3], 0);
}

}  // namespace
}  // namespace sluice::ops
