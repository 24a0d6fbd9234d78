#pragma once

#include "ops/convolution/vectors.h"

// Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2016): tiles of 6 by 6 values give 4 by
// 4 results with 36 multiplications in place of 144. With a tile d, a kernel g, and the small
// matrices B, G and A of that paper:
//
//   results          Y = A^T [sum over channels of (G g G^T) (B^T d B), element by element] A
//   kernel gradient  G^T [sum over tiles of (B^T d B) (A dY A^T), element by element] G

namespace sluice::ops::convolution {
namespace {

constexpr int kPoints = 36;     ///< points of a transformed tile
constexpr int kTile = 4;        ///< results per side
constexpr int kIn = kTile + 2;  ///< values per side

// The matrices below are applied to the values of one dimension.

/// B^T
SLUICE_INLINE void input_transform(const Vector (&d)[6], Vector (&t)[6]) {
  const Vector even = d[4] - 4 * d[2];
  const Vector odd = d[3] - 4 * d[1];
  const Vector even2 = d[4] - d[2];
  const Vector odd2 = 2 * (d[3] - d[1]);
  t[0] = 4 * d[0] - 5 * d[2] + d[4];
  t[1] = even + odd;
  t[2] = even - odd;
  t[3] = even2 + odd2;
  t[4] = even2 - odd2;
  t[5] = 4 * d[1] - 5 * d[3] + d[5];
}

/// A^T
SLUICE_INLINE void output_transform(const Vector (&m)[6], Vector (&y)[4]) {
  const Vector sum = m[1] + m[2];
  const Vector difference = m[1] - m[2];
  const Vector sum2 = m[3] + m[4];
  const Vector difference2 = m[3] - m[4];
  y[0] = m[0] + sum + sum2;
  y[1] = difference + 2 * difference2;
  y[2] = sum + 4 * sum2;
  y[3] = difference + 8 * difference2 + m[5];
}

/// A
SLUICE_INLINE void gradient_transform(const Vector (&y)[4], Vector (&z)[6]) {
  const Vector even = y[0] + y[2];
  const Vector odd = y[1] + y[3];
  const Vector even2 = y[0] + 4 * y[2];
  const Vector odd2 = 2 * y[1] + 8 * y[3];
  z[0] = y[0];
  z[1] = even + odd;
  z[2] = even - odd;
  z[3] = even2 + odd2;
  z[4] = even2 - odd2;
  z[5] = y[3];
}

/// G
SLUICE_INLINE void kernel_transform(const Vector (&g)[3], Vector (&u)[6]) {
  const Vector ends = (g[0] + g[2]) * (-1.f / 6);
  const Vector middle = g[1] * (1.f / 6);
  const Vector ends2 = g[0] * (1.f / 24) + g[2] * (1.f / 6);
  const Vector middle2 = g[1] * (1.f / 12);
  u[0] = g[0] * (1.f / 4);
  u[1] = ends - middle;
  u[2] = ends + middle;
  u[3] = ends2 + middle2;
  u[4] = ends2 - middle2;
  u[5] = g[2];
}

/// G^T
SLUICE_INLINE void kernel_gradient_transform(const Vector (&u)[6], Vector (&g)[3]) {
  const Vector sum = (u[1] + u[2]) * (1.f / 6);
  const Vector sum2 = u[3] + u[4];
  g[0] = u[0] * (1.f / 4) - sum + sum2 * (1.f / 24);
  g[1] = (u[2] - u[1]) * (1.f / 6) + (u[3] - u[4]) * (1.f / 12);
  g[2] = sum2 * (1.f / 6) - sum + u[5];
}

/// Applies a matrix to both dimensions of a square: get(row, column) reads In by In values,
/// put(row, column, value) writes Out by Out. Arrays stay in registers only if the loops over them
/// are unrolled before the compiler lays them out.
template <int In, int Out, class Transform, class Get, class Put>
SLUICE_INLINE void both_ways(Transform transform, Get get, Put put) {
  Vector half[Out][In];
  for (int column = 0; column < In; ++column) {
    Vector from[In];
    Vector to[Out];
#pragma GCC unroll 6
    for (int row = 0; row < In; ++row) from[row] = get(row, column);
    transform(from, to);
#pragma GCC unroll 6
    for (int row = 0; row < Out; ++row) half[row][column] = to[row];
  }
  for (int row = 0; row < Out; ++row) {
    Vector from[In];
    Vector to[Out];
#pragma GCC unroll 6
    for (int column = 0; column < In; ++column) from[column] = half[row][column];
    transform(from, to);
#pragma GCC unroll 6
    for (int column = 0; column < Out; ++column) put(row, column, to[column]);
  }
}

}  // namespace
}  // namespace sluice::ops::convolution
