#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/dataset.h"

namespace sluice {

/// An array in NumPy's format .npy. It refers to the file's bytes.
struct NpyArray {
  std::string name;  ///< for messages
  char kind = 'u';   ///< u unsigned, i signed, f float, b bool
  int item = 1;      ///< bytes of a number, little-endian
  Shape shape;
  std::string_view data;

  double value(std::size_t i) const;
};

/// Parses a file of version 1 to 3 with whole or floating-point numbers in C order. Nothing in it
/// is executed. Throws Error (user) with `name` for all else, a pickled array too.
NpyArray parse_npy(std::string_view file, const std::string& name);

/// Range of the pixels of floating-point images.
enum class PixelRange { unit, bytes };

/// Returns the range that the values fit: 0 to 1, or 0 to 255. Whole numbers are bytes. Throws
/// Error (user) for values outside both, such as standardised ones.
PixelRange range_of(const NpyArray& images);

/// Converts (N, height, width), (N, height, width, 1 or 3) or (N, 1 or 3, height, width) to images.
/// Throws Error (user) for other shapes.
LabelledImages images_of(const NpyArray& images, PixelRange range);

/// Returns (N) or (N, 1) whole numbers from 0 to 9,999. Throws Error (user) for others.
std::vector<int> labels_of(const NpyArray& labels);

}  // namespace sluice
