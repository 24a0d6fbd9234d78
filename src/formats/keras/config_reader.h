#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sluice/exchange.h"

namespace sluice {

/// A model as a Keras configuration declares it.
struct DeclaredModel {
  Sequential model;
  /// Of each layer with weights. Where models are nested, theirs come first, each with a slash.
  struct Weighted {
    std::string key;   ///< what Keras 3 calls its group in HDF5: "sequential/conv2d_1"
    std::string path;  ///< by names: "features/conv2"
    std::string name;  ///< its own in the file: "conv2"; may be empty
    /// Name in `model` of a Normalization that adapt() gave mean and variance, which are its
    /// weights; empty for other layers.
    std::string adapted = {};
    bool on_pixels = false;  ///< of `adapted`: it takes the images as they are
  };
  std::vector<Weighted> weighted;
  std::vector<std::string> remarks;  ///< what is not as in the file, as KerasOptions::say has it
};

/// Facts that a configuration does not have.
struct ConfigOptions {
  bool keras_2 = false;  ///< Keras 2 wrote it
  std::optional<PixelInput> pixels = {};
};

/// Translates the configuration of a Sequential or Functional model; models in it become part of
/// the network.
/// Throws Error (user) naming `place`, the layer and the setting that Sluice cannot compute.
DeclaredModel read_declared(const nlohmann::json& config, const std::string& place,
                            const ConfigOptions& options = {});

/// A model's layers as its configuration lists them: objects with class_name and config. Keras 2
/// had a list where Keras 3 has an object with the key "layers". Throws Error (user).
const nlohmann::json& layers_of_config(const nlohmann::json& model, const std::string& place);

/// A text in an object, or "".
std::string text_in(const nlohmann::json& object, const char* key);

/// Whether a configuration is of a model: it has layers.
bool is_model_config(const nlohmann::json& object);

}  // namespace sluice
