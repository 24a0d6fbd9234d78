#pragma once

#include <cstdint>
#include <vector>

#include "base/workspace.h"
#include "onednn/context.h"
#include "ops/dropout.h"
#include "tools/parity/scenario.h"

namespace sluice::parity {

/// Dropout masks of a part of a model, drawn by its own Dropout operations on unused memory.
class Masks {
 public:
  struct Layer {
    std::string name;
    float rate;
    std::size_t elements;  ///< elements of an image
  };

  Masks(const Part& part, int batch);

  const std::vector<Layer>& layers() const { return layers_; }
  /// Draws a network's masks for this step: then kept(i) is layer i's mask, (batch, elements), in
  /// Keras's order.
  void draw(std::uint32_t step);
  const std::vector<std::uint8_t>& kept(std::size_t layer) const { return drops_[layer]->kept(); }

 private:
  onednn::Context context_;
  Workspace workspace_;
  std::uint32_t part_;
  std::vector<Layer> layers_;
  std::vector<std::unique_ptr<ops::Dropout>> drops_;
};

}  // namespace sluice::parity
