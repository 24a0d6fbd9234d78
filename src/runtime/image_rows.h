#pragma once

#include <algorithm>
#include <cstddef>

#include "base/parallel.h"
#include "onednn/tensor.h"

namespace sluice {

// Images of a batch, one by one. In every layout an image is one piece of memory.

/// Calls body(i) for each of some images, of so many floats, in parallel.
template <class Body>
void for_each_image(std::size_t images, std::size_t floats, const Body& body) {
  const std::size_t grain = std::max<std::size_t>(kGrainOfValues / floats, 1);
  parallel_for(images, grain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) body(i);
  });
}

inline int batch_of(const dnnl::memory& values) {
  return static_cast<int>(onednn::dims_of(values)[0]);
}

inline std::size_t floats_of_image(const dnnl::memory& values) {
  return onednn::stored(values) / static_cast<std::size_t>(batch_of(values));
}

}  // namespace sluice
