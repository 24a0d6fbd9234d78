#pragma once

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/mixture.h"

namespace [[gnu::visibility("default")]] sluice {

// Trained models as files. sluice/exchange.h has those of Keras and ONNX.

/// A network with all it takes to use it. Its input is a picture's values divided by 255.
struct SavedModel {
  Sequential model;
  Weights weights;
  /// What each output stands for: classes, or a gate's groups. Empty where a file of another
  /// program does not say.
  std::vector<std::string> class_names;
};

struct SavedMixture {
  Mixture model;
  MixtureWeights weights;
  std::vector<std::string> class_names;  ///< as in SavedModel
  std::vector<Groups::Group> groups;     ///< as the gate's outputs; without classes as above
};

using AnyModel = std::variant<SavedModel, SavedMixture>;

/// Writes a safetensors file that is enough to predict. Tensors are named "conv1.1/kernel", those
/// of a mixture's parts "baseline/conv1.1/kernel", and have Keras's shapes; the metadata has
/// "format", as JSON "model" (the layers), "class_names", "normalization" and, of a mixture,
/// "groups", and "sha256", the digest of all that: each key and value but its own, then name, shape
/// as
/// "(3, 2)" and bytes of each tensor, in the order of keys and names, with the length in decimal
/// digits and a colon before each. Throws Error: user for what read_model() would refuse (names,
/// weights of other layers, NaN) and where the place is wrong, else machine.
void write_model(const std::filesystem::path& file, const AnyModel& model);

/// Throws Error (user) naming the file and place where it was changed or damaged (its digest
/// tells), is of another program, or has weights that are NaN or infinite. Files of "sluice 2" have
/// no digest; those are refused if no value is other than 0.
AnyModel read_model(const std::filesystem::path& file);

}  // namespace sluice
