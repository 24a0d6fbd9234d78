#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "formats/keras/stored.h"
#include "formats/model/model_notes.h"
#include "formats/safetensors/safetensors.h"

namespace sluice {

/// What is in a file of Keras's, of whichever kind.
struct KerasFile {
  std::string place;      ///< its path, as messages show it
  nlohmann::json config;  ///< of the model; null in a file of weights alone
  ModelNotes notes;       ///< what export_keras() added; none in other files
  bool keras_2 = false;   ///< Keras 2 wrote it, as far as it says
  Safetensors tensors;
  StoredModel stored;
};

/// What a file was made into by the process that read it, which is not to be trusted: HDF5's paths
/// as the names of tensors, attributes as metadata. Throws Error (user), starting with `place`.
KerasFile to_keras_file(Safetensors tensors, const std::string& place);

/// Reads a `.keras`, `.weights.h5` or legacy `.h5` file; which it is, its first bytes say. Unzips
/// and reads HDF5 in a process of its own. Throws Error (user) naming the file.
KerasFile read_keras_file(const std::filesystem::path& file);

}  // namespace sluice
