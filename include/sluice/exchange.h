#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/model_file.h"

#pragma GCC visibility push(default)

namespace sluice {

// Files of Keras and ONNX, and the download of CIFAR-10. These functions are in a separate library,
// libsluice_exchange (sluice::exchange in CMake), because they link HDF5, protobuf, libarchive and
// libcurl.

/// Writes a `.keras` file that keras.saving.load_model() opens without custom objects. A mixture
/// becomes a model of standard layers only with the same predictions; it computes all experts,
/// because standard layers cannot skip one. The file also has class names and groups, for
/// import_keras(). Keras freezes whole layers: one with a frozen tensor only is trainable there.
void export_keras(const std::filesystem::path& file, const AnyModel& model);

/// Writes a legacy `.h5` file that Keras 2 (tf_keras) opens: the same layers and predictions as
/// export_keras(). Keras 3 opens it too, except that of a mixture.
void export_keras_h5(const std::filesystem::path& file, const AnyModel& model);

/// Which experts of a mixture an ONNX file computes for an image: all, as in Keras, which every
/// program can run; or by If the chosen one only, which is faster where a program has If.
enum class OnnxExperts { all, chosen };

/// Writes an ONNX file: input "images" (batch, height, width, channels) in [0, 1], output
/// "probabilities" (batch, classes). A mixture's output, which need not sum to one, has the name
/// "scores", and a second output, "group" (batch), is the group that the gate chose. metadata_props
/// has class names, groups and normalization. Throws Error (user) for a model above 2 GiB, the
/// limit of an ONNX file, else as write_model() does.
void export_onnx(const std::filesystem::path& file, const AnyModel& model,
                 OnnxExperts experts = OnnxExperts::all);

/// What a network of another program was trained on: (x - mean) / deviation, where x is a pixel's
/// value on a scale from `low` to `high`.
struct PixelInput {
  double low = 0;
  double high = 1;
  std::vector<double> mean = {};       ///< of each channel, or one for all; empty: 0
  std::vector<double> deviation = {};  ///< the same; empty: 1
};

/// Facts that a Keras file does not have.
struct KerasOptions {
  /// Maps a part of a mixture, as Mixture::parts() names it, to the nested model's name in the
  /// file. A part that is not here has its own name in the file.
  std::map<std::string, std::string> parts;
  /// Groups of a mixture in the order of the gate's outputs. In a file that Sluice wrote, the
  /// file's groups are used.
  std::vector<std::string> groups;
  /// Input shape, for a file that has only weights.
  Shape input{32, 32, 3};
  /// What the network was trained on. If it is not given, the layers of the file tell it: a first
  /// Rescaling, Normalization or division for pixels of 0 to 255; else pixels are from 0 to 1.
  std::optional<PixelInput> pixels = {};
  /// Called with a line for each difference between the model and the file, and for each
  /// assumption: other names, another precision, the lab's architecture. May be empty.
  std::function<void(const std::string& line)> say;
};

/// Reads a `.keras` file, a `.weights.h5` file or a legacy `.h5` file. Nested models become one
/// network, or a mixture, whose operations must be the lab's formula. Half precision becomes single
/// precision. A network gets a softmax if its outputs are logits; one output, a sigmoid, becomes
/// two classes.
/// A file that has only weights must be of one of the lab's models, which its shapes identify. A
/// separate process with limits on memory and time reads HDF5, because libhdf5 may crash on a
/// malicious file. Throws Error (user) with the file, the place in it and the reason, also for
/// weights that are NaN or infinite.
AnyModel import_keras(const std::filesystem::path& file, const KerasOptions& options = {});

/// Facts that an ONNX file may not have.
struct OnnxOptions {
  /// Shape of the images, for a network whose height and width are open.
  Shape input{32, 32, 3};
  /// What the network was trained on. If it is not given, the nodes tell it: a first division or
  /// normalization for pixels of 0 to 255; else pixels are from 0 to 1.
  std::optional<PixelInput> pixels = {};
  /// As KerasOptions::say.
  std::function<void(const std::string& line)> say;
};

/// Reads a network of an ONNX file, opset 9 to 28, as PyTorch, tf2onnx, Keras and export_onnx()
/// write it: one input of images, channels first or last, or of vectors, and one output, a value
/// for each class. Its nodes become Sluice's layers with the same predictions, or are refused. A
/// softmax is added to logits, and one sigmoid becomes two classes. Half precision becomes single
/// precision. The input is taken for pixel values divided by 255, and where the first nodes are
/// made for pixel values, these are changed. Throws Error (user) with the file, the node and the
/// reason, also for weights in another file and for weights that are NaN or infinite.
SavedModel import_onnx(const std::filesystem::path& file, const OnnxOptions& options = {});

/// Joins separately saved models into a mixture. The keys are the names of Mixture::parts(). Throws
/// Error (user) if a part is missing or does not fit the others.
SavedMixture join_parts(const std::map<std::string, SavedModel>& parts,
                        const std::vector<Groups::Group>& groups);

/// Downloads the official CIFAR-10 binary archive into the cache ($XDG_CACHE_HOME/sluice, or
/// ~/.cache/sluice), checks its SHA-256, unpacks it, and returns the folder. Resumes a stopped
/// download; returns an existing folder at once. Throws Error (machine) without network, for a
/// wrong checksum and for a full disk. Incomplete files have temporary names.
std::filesystem::path fetch_cifar10(const std::string& url, const DataEvents& events);

/// Default URL of fetch_cifar10().
extern const char* const kCifar10Url;

}  // namespace sluice

#pragma GCC visibility pop
