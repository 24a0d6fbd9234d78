#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/safetensors/safetensors.h"

namespace sluice {

/// Converts an HDF5 file of Keras to the bytes of a safetensors file: every dataset of floats
/// becomes a float32 tensor with the dataset's path as its name ("layers/dense/vars/0"). The
/// metadata has, as JSON:
///   PATH@NAME  an attribute that Keras writes: a string, or a list of strings. Lists that Keras
///              has split into NAME0, NAME1... are joined.
///   PATH@type  type of a dataset that has no floats and is no tensor
/// Features that Keras never writes are refused: links other than hard links, an object that is
/// linked twice, data in other files, filters other than gzip and shuffle, and more data declared
/// than stored. An optimizer's state is ignored. Throws Error (user) with `place`, path and reason.
///
/// libhdf5 may crash on malicious bytes: call this in a separate process (base/confined.h).
std::string flatten_hdf5(std::string_view bytes, TensorMetadata metadata, const std::string& place);

/// Returns the maximum size of flatten_hdf5()'s result for a file of this size.
std::uint64_t max_flattened(std::uint64_t file_bytes);

}  // namespace sluice
