#pragma once

#include <algorithm>

#include "onednn/tensor.h"

namespace sluice::onednn {

/// How a tensor lies in memory: (images, blocks, height, width, lanes), where channels are blocks
/// times lanes, the last block filled up with zeros. A tensor (N, C) is images of one pixel.
struct Planes {
  Tag tag;
  std::size_t images, blocks, height, width, lanes, channels;

  /// Throws machine_error for a layout that no operation here chooses.
  explicit Planes(const dnnl::memory& tensor);

  std::size_t pixels() const { return height * width; }
  /// Elements of an image, without filling.
  std::size_t elements() const { return pixels() * channels; }
  /// Of the lanes of a block, those that are channels.
  std::size_t used_lanes(std::size_t block) const {
    return std::min(lanes, channels - block * lanes);
  }
};

}  // namespace sluice::onednn
