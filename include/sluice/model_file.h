#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sluice/dataset.h"
#include "sluice/mixture.h"

#pragma GCC visibility push(default)

namespace sluice {

// Files of trained models. sluice/exchange.h has the formats of Keras and ONNX.

/// A network with all that predictions need. Its input is an image's pixel values divided by 255.
struct SavedModel {
  Sequential model;
  Weights weights;
  /// Meaning of each output: classes, or groups of a gate. Empty if a file of another program does
  /// not have them.
  std::vector<std::string> class_names;
  Resize resize = Resize::stretch;  ///< how pictures become the model's input
  bool exif_orientation = true;     ///< whether pictures are turned as their EXIF says
};

struct SavedMixture {
  Mixture model;
  MixtureWeights weights;
  std::vector<std::string> class_names;  ///< as in SavedModel
  std::vector<Groups::Group>
      groups;  ///< in the order of the gate's outputs; their classes may be empty, as above
  Resize resize = Resize::stretch;
  bool exif_orientation = true;
};

using AnyModel = std::variant<SavedModel, SavedMixture>;

/// How much of a trained network's experts answers an image; what is not set stays as trained.
struct Routing {
  std::optional<int> experts;   ///< MixtureOfExperts::top_k
  std::optional<double> share;  ///< Cascade::share
};
/// Sets the routing of all layers of experts. Throws Error (user) if the model has no such layer,
/// if it is a mixture, whose gate chooses one expert, or for a number out of range.
void set_routing(AnyModel& model, const Routing& routing);

/// Writes a safetensors file that has all that predictions need. Tensors have Keras's shapes and
/// names such as "conv1.1/kernel", in a mixture "baseline/conv1.1/kernel". The metadata has
/// "format"; as JSON "model" (the layers), "class_names", "normalization", for a mixture "groups"
/// and, if they are not "stretch" and true, "resize" and "exif_orientation"; and "sha256", the
/// digest of the rest: each other key and value, then name, shape as
/// "(3, 2)" and bytes of each tensor, in the order of keys and names, each preceded by its length
/// in decimal digits and a colon. Throws Error: user for a model that read_model() would refuse
/// (names, weights of other layers, NaN) and for a wrong place, else machine.
void write_model(const std::filesystem::path& file, const AnyModel& model);

/// Reads a file that write_model() wrote. Throws Error (user) with file and place if it was changed
/// or damaged (by its digest), if another program wrote it, or if weights are NaN or infinite.
/// Files of format "sluice 2" have no digest; one whose values are all 0 is refused.
AnyModel read_model(const std::filesystem::path& file);

}  // namespace sluice

#pragma GCC visibility pop
