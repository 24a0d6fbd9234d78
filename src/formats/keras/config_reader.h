#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sluice/network.h"

namespace sluice {

/// A model as a Keras configuration declares it.
struct DeclaredModel {
  Sequential model;
  /// Of each layer with weights. Where models are nested, theirs come first, each with a slash.
  struct Weighted {
    std::string key;   ///< what Keras 3 calls its group in HDF5: "sequential/conv2d_1"
    std::string path;  ///< by names: "features/conv2"
    std::string name;  ///< its own in the file: "conv2"; may be empty
  };
  std::vector<Weighted> weighted;
  std::vector<std::string> remarks;  ///< what is not as in the file, as KerasOptions::say has it
};

/// Translates the configuration of a Sequential, or of a Functional model that is a plain chain;
/// models in it become part of the chain.
/// Throws Error (user) naming `place`, the layer and the setting that Sluice cannot compute.
DeclaredModel read_declared(const nlohmann::json& config, const std::string& place);

/// A model's layers as its configuration lists them: objects with class_name and config. Keras 2
/// had a list where Keras 3 has an object with the key "layers". Throws Error (user).
const nlohmann::json& layers_of_config(const nlohmann::json& model, const std::string& place);

/// A text in an object, or "".
std::string text_in(const nlohmann::json& object, const char* key);

/// Whether a configuration is of a model: it has layers.
bool is_model_config(const nlohmann::json& object);

}  // namespace sluice
