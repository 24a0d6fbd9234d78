#include <algorithm>

#include "graph/graph_builder.h"
#include "sluice/lab/frontier.h"

namespace sluice {

namespace {

/// Puts the first answer in place of a cascade, one expert in place of several, and a convolution
/// with one kernel in place of one that mixes them.
Sequential without_routing(const Sequential& model) {
  const std::vector<std::vector<int>> sources = sources_of_layers(model);
  GraphBuilder graph;
  std::vector<std::string> places;  // by layer of the model, the one that stands for it
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.layers[i];
    std::vector<std::string> inputs = names_of_sources(sources[i], places);
    if (std::holds_alternative<Cascade>(layer)) {
      places.push_back(inputs[1]);
    } else if (const auto* mixture = std::get_if<MixtureOfExperts>(&layer)) {
      places.push_back(
          graph.add_network(mixture->name + ".", mixture->experts.front(), inputs.front()));
    } else if (const auto* mixed = std::get_if<CondConv2D>(&layer)) {
      const Conv2D convolution{mixed->name,       mixed->filters, mixed->kernel_size,
                               mixed->activation, mixed->strides, mixed->padding,
                               mixed->use_bias};
      places.push_back(graph.add(convolution, std::move(inputs)));
    } else {
      places.push_back(graph.add(layer, std::move(inputs)));
    }
  }
  return pruned(graph.take(), places.back());
}

}  // namespace

bool is_routed(const NetworkChoice& network) {
  return std::ranges::any_of(network.layers.layers, is_mixture);
}

NetworkChoice dense_network(const NetworkChoice& network) {
  if (!is_routed(network)) return network;
  NetworkChoice dense = network;
  dense.layers = without_routing(network.layers);
  // network() adds a Dense for the classes, which a cascade's first answer has of its own.
  std::vector<Layer>& layers = dense.layers.layers;
  if (std::holds_alternative<Cascade>(network.layers.layers.back()) &&
      std::holds_alternative<Dense>(layers.back())) {
    dense.layers.inputs.erase(name_of(layers.back()));
    layers.pop_back();
  }
  leave_out_usual_inputs(dense.layers);
  return dense;
}

}  // namespace sluice
