#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sluice {

/// A layer of a Functional model's configuration, and the names of the layers that it takes.
struct ConnectedLayer {
  const nlohmann::json* object;
  std::vector<std::string> sources;
};

/// A layer's own name in a configuration; may be empty.
std::string name_of_config(const nlohmann::json& layer);

/// The layers of a Functional model's configuration, each after all that it takes; the last has the
/// output. Throws Error (user) naming the layer where they are no graph of that kind.
std::vector<ConnectedLayer> connected_layers(const nlohmann::json& model, const std::string& place);

/// Whether every layer takes the output of one other, which no layer of a mixture's end does.
bool is_chain(const nlohmann::json& model, const std::string& place);

}  // namespace sluice
