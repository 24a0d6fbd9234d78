#pragma once

#include "ops/convolution/vectors.h"

namespace sluice::ops::convolution {
namespace {

// Matrices that are read or written by vectors are stored in panels of two vectors' columns, so
// that a product reads contiguous memory; the last panel may have one vector only.

constexpr int kPanel = 2 * kWidth;

/// Offset of the panel that begins with `column`, in a matrix of `rows` rows.
std::ptrdiff_t panel(int rows, int column) {
  return static_cast<std::ptrdiff_t>(rows) * column;
}

/// Offset of the vector that begins at (row, column).
std::ptrdiff_t in_panels(int rows, int columns, int row, int column) {
  const int first = column / kPanel * kPanel;
  const int width = columns - first < kPanel ? columns - first : kPanel;
  return panel(rows, first) + static_cast<std::ptrdiff_t>(row) * width + (column - first);
}

/// A matrix of floats; element (i, j) is at[i * row + j * column].
struct Matrix {
  const float* at;
  std::ptrdiff_t row;
  std::ptrdiff_t column;
};

/// Computes Rows by Columns vectors of a panel of c = a b (+ c). The sums stay in registers only if
/// every loop over them is unrolled before the compiler lays out arrays.
template <int Rows, int Columns, bool Add>
void multiply_block(const Matrix& a, const float* b, float* c, int depth) {
  constexpr std::ptrdiff_t kRow = Columns * kWidth;
  Vector sums[Rows][Columns];
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < Columns; ++j) {
      sums[i][j] = Add ? load(c + i * kRow + j * kWidth) : Vector{};
    }
  }
  const float* left = a.at;
  for (int p = 0; p < depth; ++p, b += kRow, left += a.column) {
    Vector right[Columns];
#pragma GCC unroll 8
    for (int j = 0; j < Columns; ++j) right[j] = load(b + j * kWidth);
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) {
      const Vector value = left[i * a.row] - Vector{};
#pragma GCC unroll 8
      for (int j = 0; j < Columns; ++j) sums[i][j] += value * right[j];
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < Columns; ++j) store(c + i * kRow + j * kWidth, sums[i][j]);
  }
}

template <int Columns, bool Add>
void multiply_panel(Matrix a, int rows, const float* b, float* c, int depth) {
  constexpr std::ptrdiff_t kRow = Columns * kWidth;
  // Twelve sums at once hide the latency of multiply-add, and eight are just enough; avoids a
  // remainder below four if possible.
  while (rows > 0) {
    const int take = rows == 6 || rows >= 10 ? 6 : rows >= 4 ? 4 : 1;
    if (take == 6) multiply_block<6, Columns, Add>(a, b, c, depth);
    if (take == 4) multiply_block<4, Columns, Add>(a, b, c, depth);
    if (take == 1) multiply_block<1, Columns, Add>(a, b, c, depth);
    rows -= take;
    a.at += take * a.row;
    c += take * kRow;
  }
}

/// Computes c (rows, columns) = a (rows, depth) b (depth, columns), with Add added to c. b and c
/// are in panels.
template <bool Add>
void multiply(const Matrix& a, int rows, int depth, const float* b, int columns, float* c) {
  int column = 0;
  for (; column + kPanel <= columns; column += kPanel) {
    multiply_panel<2, Add>(a, rows, b + panel(depth, column), c + panel(rows, column), depth);
  }
  if (column < columns) {
    multiply_panel<1, Add>(a, rows, b + panel(depth, column), c + panel(rows, column), depth);
  }
}

}  // namespace
}  // namespace sluice::ops::convolution
