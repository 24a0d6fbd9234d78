#pragma once

#include <algorithm>

#include "onednn/tensor.h"

namespace sluice::onednn {

/// Memory layout of a tensor: (images, blocks, height, width, lanes). Channels are blocks times
/// lanes; zeros fill the last block. A tensor (N, C) is treated as images of one pixel.
struct Planes {
  Tag tag;
  std::size_t images, blocks, height, width, lanes, channels;

  /// Throws machine_error for a layout that no operation uses.
  explicit Planes(const dnnl::memory& tensor);

  std::size_t pixels() const { return height * width; }
  /// Elements of an image, without the zeros.
  std::size_t elements() const { return pixels() * channels; }
  /// Number of lanes of a block that are channels.
  std::size_t used_lanes(std::size_t block) const {
    return std::min(lanes, channels - block * lanes);
  }
};

}  // namespace sluice::onednn
