#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/safetensors/safetensors.h"

namespace sluice {

/// Flattens an HDF5 file of Keras's into the bytes of a safetensors file: every dataset of floats
/// becomes a tensor that has its path as its name ("layers/dense/vars/0"), as float32. Added to the
/// metadata, as JSON:
///   PATH@NAME  an attribute that Keras writes: a string, or a list of strings. Lists that Keras
///              has split into NAME0, NAME1... are one.
///   PATH@type  of a dataset that has no floats and so is no tensor: what it has instead
/// What Keras never writes is refused: links but hard ones, an object that is linked twice, data in
/// other files, filters but gzip and shuffle, more data declared than stored. An optimizer's state
/// is passed over. Throws Error (user) naming `place`, path and reason.
///
/// libhdf5 can crash on a stranger's bytes: call it in a process of its own (base/confined.h).
std::string flatten_hdf5(std::string_view bytes, TensorMetadata metadata, const std::string& place);

/// The most bytes that flatten_hdf5 gives for a file of this size.
std::uint64_t max_flattened(std::uint64_t file_bytes);

}  // namespace sluice
