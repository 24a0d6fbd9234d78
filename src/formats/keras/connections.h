#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sluice {

/// What a layer or an operation is called with. A tensor is {"tensor": "name of its layer"}, in
/// lists and by itself; other values are as in the file.
struct KerasCall {
  nlohmann::json arguments = nlohmann::json::array();
  nlohmann::json named = nlohmann::json::object();

  /// The argument at a place, or one that has one of these names; null if there is none.
  const nlohmann::json& argument(std::size_t place, std::initializer_list<const char*> keys) const;
  /// Names of the layers whose outputs it takes, in this order.
  std::vector<std::string> sources() const;
};

/// A layer of a Functional model's configuration, and how it is called.
struct ConnectedLayer {
  const nlohmann::json* object;
  KerasCall call;
};

/// A layer's own name in a configuration; may be empty.
std::string name_of_config(const nlohmann::json& layer);

/// What an operation is called, as in keras.ops: "true_divide" for x / 255 in Keras 3 and Keras 2.
/// Empty for layers.
std::string operation_of(const nlohmann::json& layer);

/// The layers of a Functional model's configuration, each after all that it takes; the last has the
/// output. Throws Error (user) naming the layer where they are no graph of that kind.
std::vector<ConnectedLayer> connected_layers(const nlohmann::json& model, const std::string& place);

}  // namespace sluice
