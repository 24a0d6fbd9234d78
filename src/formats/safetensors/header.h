#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors/safetensors.h"

namespace sluice {

struct SafetensorsHeader {
  TensorMetadata metadata;
  std::vector<Safetensors::Tensor> tensors;  ///< in the order of the buffer
};

/// Reads the JSON header and checks every rule that needs only the size of the buffer. Throws Error
/// (user); messages start with `place`.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::size_t buffer_bytes,
                                           const std::string& place);

}  // namespace sluice
