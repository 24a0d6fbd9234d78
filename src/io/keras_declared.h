#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sluice/network.h"

namespace sluice {

/// A model as a Keras configuration declares it.
struct DeclaredModel {
  Sequential model;
  /// Of each layer with weights: what Keras 3 calls its group in HDF5, and its own name.
  struct Weighted {
    std::string key;
    std::string name;
  };
  std::vector<Weighted> weighted;
};

/// Translates the configuration of a Sequential, or of a Functional model that is a plain chain.
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
