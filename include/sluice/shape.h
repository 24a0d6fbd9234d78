#pragma once

#include <cstdint>
#include <string>
#include <vector>

#pragma GCC visibility push(default)

namespace sluice {

/// Sizes along each axis, outermost first, without the batch: an image is {height, width,
/// channels}, a convolution's kernel {height, width, in, out}, a dense kernel {in, out}. These are
/// Keras's orders; every shape outside `src/onednn` and `src/ops` uses them.
using Shape = std::vector<std::int64_t>;

/// Product of the sizes; 1 for an empty shape.
std::int64_t element_count(const Shape& shape);

/// Formats a shape: "(32, 32, 3)".
std::string to_string(const Shape& shape);

}  // namespace sluice

#pragma GCC visibility pop
