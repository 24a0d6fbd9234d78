#pragma once

#include <nlohmann/json.hpp>

#include "sluice/network.h"

namespace sluice {

// What stands in a config.json, as Keras 3 writes it. Settings that have Keras's defaults and do
// not bear on the values are left out.

using KerasJson = nlohmann::ordered_json;

/// Throws Error (user) for a name of the model or a layer that Keras does not take.
void check_keras_names(const Sequential& model);

/// An object that keras.layers can make again; `config` needs no name.
KerasJson keras_object(const std::string& class_name, const std::string& name,
                       const KerasJson& config);

KerasJson keras_input(const std::string& name, const Shape& shape);

/// [null, 32, 32, 3]: with the batch, whose size is open.
KerasJson batch_shape(const Shape& shape);

/// The object of a layer of ours, with "trainable" false where the model freezes it.
KerasJson layer_object(const Layer& layer, const Sequential& model);

/// A keras.Sequential with its input layer.
KerasJson sequential_config(const Sequential& model);

}  // namespace sluice
