#pragma once

#include <deque>
#include <string>
#include <vector>

#include "formats/safetensors/safetensors.h"

namespace sluice {

/// Returns a file with the same tensors and other metadata.
inline std::string written_again(const Safetensors& file, const TensorMetadata& metadata) {
  std::deque<std::vector<float>> values;  // keeps references valid as it grows
  std::vector<NamedTensor> tensors;
  for (const Safetensors::Tensor& tensor : file.tensors()) {
    values.emplace_back(element_count(tensor.shape));
    file.copy(tensor, values.back());
    tensors.push_back({tensor.name, tensor.shape, values.back()});
  }
  return to_safetensors(tensors, metadata);
}

}  // namespace sluice
