#pragma once

#include <string>
#include <vector>

#include "formats/safetensors/safetensors.h"

namespace sluice {

// What the HDF5 part of a Keras file tells by itself: which layers have which weights.

/// A layer's group. Keras 3 names it by class and position ("conv2d_1"), a legacy file by the
/// layer; in a nested model the model's key and a slash come first.
struct StoredLayer {
  std::string key;
  std::string name;                  ///< the layer's own; empty where the file does not say
  std::vector<std::string> weights;  ///< names of tensors, kernel before bias
  std::size_t rank = 0;              ///< axes of the kernel
};

struct StoredModel {
  std::string key;
  std::string name;
  std::vector<StoredLayer> layers;  ///< also those without weights, and those of nested models
  std::vector<StoredModel> models;  ///< nested ones, of any depth; none of these has more
  bool legacy = false;

  /// As messages show it: the name, else the key.
  const std::string& label() const { return name.empty() ? key : name; }
};

/// `file` is what flatten_hdf5() gave. Throws Error (user) naming `place`.
StoredModel find_stored(const Safetensors& file, const std::string& place);

}  // namespace sluice
