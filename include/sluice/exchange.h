#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/model_file.h"

namespace [[gnu::visibility("default")]] sluice {

// What Sluice exchanges with Keras, ONNX and the network: a library of its own, libsluice_exchange
// (sluice::exchange in CMake), for it links HDF5, protobuf, libarchive and libcurl.

/// Writes a `.keras` file that keras.saving.load_model() opens without custom objects. A mixture
/// becomes a model of standard layers alone that predicts the same; as those cannot skip an
/// expert, it computes all of them. Class names and groups go along for import_keras().
void export_keras(const std::filesystem::path& file, const AnyModel& model);

/// Writes a legacy `.h5` file that Keras 2 (tf_keras) opens: the same layers and predictions as
/// export_keras(). Keras 3 opens it too unless it is a mixture's.
void export_keras_h5(const std::filesystem::path& file, const AnyModel& model);

/// Writes an ONNX file: input "images" (batch, height, width, channels) in [0, 1], output
/// "probabilities" (batch, classes). A mixture computes every expert, as in Keras; its output,
/// which need not sum to one, is called "scores", and a second one, "group" (batch), says which
/// group the gate chose. Class names, groups and normalization are in its metadata_props. Throws
/// Error (user) for what no ONNX file can hold (2 GiB), else as every writer does.
void export_onnx(const std::filesystem::path& file, const AnyModel& model);

/// What a Keras file does not tell by itself.
struct KerasOptions {
  /// A mixture's part, as Mixture::parts() names it, to the nested model's name in the file. Parts
  /// that are not here have their own name in the file.
  std::map<std::string, std::string> parts;
  /// A mixture's groups in the order of the gate's outputs. Files that Sluice wrote say it
  /// themselves, and are believed.
  std::vector<std::string> groups;
  /// Of a file that has weights alone.
  Shape input{32, 32, 3};
  /// Is called with each thing that the model in Sluice has otherwise than the file, or that was
  /// assumed: other names, another precision, an architecture that is taken for the lab's. May be
  /// empty.
  std::function<void(const std::string& line)> say;
};

/// Reads a `.keras` file, a `.weights.h5` file or a legacy `.h5` file. Models in models are read as
/// one chain of layers, or where they are not a chain, as a mixture. Half precision becomes single.
/// A file of weights alone must be of one of the lab's models, which its shapes tell. HDF5 is read
/// in a process of its own with limits on memory and time, for libhdf5 cannot be trusted with a
/// hostile file. Throws Error (user) naming the file, the place in it and what is wrong: weights
/// that are NaN or infinite, too.
AnyModel import_keras(const std::filesystem::path& file, const KerasOptions& options = {});

/// A mixture of models that were saved one by one, by the names that Mixture::parts() gives them.
/// Throws Error (user) where a part is missing or does not fit the others.
SavedMixture join_parts(const std::map<std::string, SavedModel>& parts,
                        const std::vector<Groups::Group>& groups);

/// Downloads the official CIFAR-10 binary archive into the cache ($XDG_CACHE_HOME/sluice, or
/// ~/.cache/sluice), checks it, unpacks it, and returns the folder. A stopped download goes on
/// where it ended; a folder that is already there is returned at once. Throws Error (machine)
/// without network, with the wrong checksum or a full disk; nothing half-written has the final
/// name.
std::filesystem::path fetch_cifar10(const std::string& url, const DataEvents& events);

/// Where fetch_cifar10 gets it from, unless told otherwise.
extern const char* const kCifar10Url;

}  // namespace sluice
