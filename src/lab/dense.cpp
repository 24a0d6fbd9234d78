#include <algorithm>
#include <set>

#include "graph/layer_types.h"
#include "graph/wiring.h"
#include "sluice/lab/frontier.h"

namespace sluice {

namespace {

struct Node {
  Layer layer;
  std::vector<std::string> inputs;
};

/// Layers with their inputs, in which others stand for the routed ones.
class DenseBuilder {
 public:
  explicit DenseBuilder(const Sequential& model) {
    const std::vector<std::vector<int>> sources = sources_of_layers(model);
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
      std::vector<std::string> inputs;
      for (const int source : sources[i]) {
        inputs.push_back(source == kImages ? kImagesName
                                           : place_of(static_cast<std::size_t>(source)));
      }
      places_.push_back(add(model.layers[i], inputs));
    }
  }

  /// Returns the layers without those that nothing takes any more, such as a gate.
  Sequential used() const {
    Sequential model;
    std::set<std::string> wanted{places_.back()};
    for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
      const std::string& name = name_of(node->layer);
      if (!wanted.contains(name)) continue;
      wanted.insert(node->inputs.begin(), node->inputs.end());
      model.layers.push_back(node->layer);
      model.inputs[name] = node->inputs;
    }
    std::ranges::reverse(model.layers);
    return model;
  }

 private:
  const std::string& place_of(std::size_t layer) const { return places_[layer]; }

  /// Returns the name of the layer that has the output.
  std::string add(const Layer& layer, const std::vector<std::string>& inputs) {
    if (std::holds_alternative<Cascade>(layer)) return inputs[1];
    if (const auto* mixture = std::get_if<MixtureOfExperts>(&layer)) {
      return add_expert(mixture->name, mixture->experts.front(), inputs.front());
    }
    nodes_.push_back({layer, inputs});
    return name_of(layer);
  }

  std::string add_expert(const std::string& name, const Sequential& expert,
                         const std::string& input) {
    const std::vector<std::vector<int>> sources = sources_of_layers(expert);
    const auto prefixed = [&](const Layer& layer) { return name + "." + name_of(layer); };
    for (std::size_t i = 0; i < expert.layers.size(); ++i) {
      std::vector<std::string> inputs;
      for (const int source : sources[i]) {
        inputs.push_back(
            source == kImages ? input : prefixed(expert.layers[static_cast<std::size_t>(source)]));
      }
      Layer layer = expert.layers[i];
      std::visit([&](auto& each) { each.name = name + "." + each.name; }, layer);
      nodes_.push_back({std::move(layer), std::move(inputs)});
    }
    return prefixed(expert.layers.back());
  }

  std::vector<Node> nodes_;
  std::vector<std::string> places_;  ///< by layer of the model, the one that has its output
};

}  // namespace

bool is_routed(const NetworkChoice& network) {
  return std::ranges::any_of(network.layers.layers, has_experts);
}

NetworkChoice dense_network(const NetworkChoice& network) {
  if (!is_routed(network)) return network;
  const Sequential& layers = network.layers;
  NetworkChoice dense = network;
  dense.layers = DenseBuilder(layers).used();
  // network() adds a Dense for the classes, which a cascade's first answer has of its own.
  if (std::holds_alternative<Cascade>(layers.layers.back()) &&
      std::holds_alternative<Dense>(dense.layers.layers.back())) {
    dense.layers.inputs.erase(name_of(dense.layers.layers.back()));
    dense.layers.layers.pop_back();
  }
  leave_out_usual_inputs(dense.layers);
  return dense;
}

}  // namespace sluice
