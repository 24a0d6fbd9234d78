#pragma once

#include <set>
#include <string>
#include <vector>

#include "graph/layer_types.h"
#include "graph/wiring.h"

namespace sluice {

/// The names of the layers that a layer takes, where others may stand for those of the model and
/// for its images.
inline std::vector<std::string> names_of_sources(const std::vector<int>& sources,
                                                 const std::vector<std::string>& places,
                                                 const std::string& images = kImagesName) {
  std::vector<std::string> names;
  for (const int source : sources) {
    names.push_back(source == kImages ? images : places[static_cast<std::size_t>(source)]);
  }
  return names;
}

/// Returns the layers that the last one needs. The model has the inputs of every layer.
inline Sequential pruned(Sequential model, const std::string& last) {
  std::set<std::string> wanted{last};
  for (auto layer = model.layers.rbegin(); layer != model.layers.rend(); ++layer) {
    if (!wanted.contains(name_of(*layer))) continue;
    const std::vector<std::string>& inputs = model.inputs[name_of(*layer)];
    wanted.insert(inputs.begin(), inputs.end());
  }
  std::erase_if(model.layers, [&](const Layer& layer) { return !wanted.contains(name_of(layer)); });
  std::erase_if(model.inputs, [&](const auto& inputs) { return !wanted.contains(inputs.first); });
  return model;
}

/// Puts a network together from layers and from the layers of other networks.
class GraphBuilder {
 public:
  /// Returns the layer's name.
  std::string add(Layer layer, std::vector<std::string> inputs) {
    std::string name = name_of(layer);
    model_.inputs[name] = std::move(inputs);
    model_.layers.push_back(std::move(layer));
    return name;
  }

  /// Adds a network's layers, with `prefix` before their names, and returns that of its output.
  std::string add_network(const std::string& prefix, const Sequential& network,
                          const std::string& input) {
    const std::vector<std::vector<int>> sources = sources_of_layers(network);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      std::vector<std::string> inputs = names_of_sources(sources[i], names, input);
      Layer layer = network.layers[i];
      std::visit([&](auto& each) { each.name = prefix + each.name; }, layer);
      names.push_back(add(std::move(layer), std::move(inputs)));
    }
    return names.back();
  }

  /// A network without name and input, with the inputs of every layer.
  Sequential take() { return std::move(model_); }

 private:
  Sequential model_;
};

}  // namespace sluice
