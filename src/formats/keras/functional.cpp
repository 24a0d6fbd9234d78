#include "formats/keras/functional.h"

#include <algorithm>
#include <map>

#include "graph/layer_types.h"
#include "graph/wiring.h"

namespace sluice {

namespace {

/// Keras's order, by which it numbers layers in model.weights.h5: by the longest way to the output,
/// then as a search from the output first meets them (keras/src/ops/function.py, map_graph).
class KerasOrder {
 public:
  explicit KerasOrder(const std::vector<KerasNode>& nodes) : nodes_(nodes) {
    for (std::size_t i = 0; i < nodes.size(); ++i) index_[nodes[i].name] = i;
    met_.assign(nodes.size(), 0);
    depth_.assign(nodes.size(), 0);
    visit(nodes.size() - 1);
    for (auto node = finished_.rbegin(); node != finished_.rend(); ++node) {
      for (const std::string& input : nodes[*node].inputs) {
        std::size_t& depth = depth_[index_[input]];
        depth = std::max(depth, depth_[*node] + 1);
      }
    }
    std::sort(finished_.begin(), finished_.end(), [&](std::size_t a, std::size_t b) {
      return depth_[a] != depth_[b] ? depth_[a] > depth_[b] : met_[a] < met_[b];
    });
  }

  const std::vector<std::size_t>& order() const { return finished_; }

 private:
  void visit(std::size_t node) {
    if (met_[node] > 0) return;
    met_[node] = ++count_;
    for (const std::string& input : nodes_[node].inputs) visit(index_[input]);
    finished_.push_back(node);
  }

  const std::vector<KerasNode>& nodes_;
  std::map<std::string, std::size_t> index_;
  std::vector<std::size_t> met_;  ///< counted from 1
  std::vector<std::size_t> depth_;
  std::vector<std::size_t> finished_;
  std::size_t count_ = 0;
};

KerasJson argument(const KerasNode& node) {
  return {{"class_name", "__keras_tensor__"},
          {"config",
           {{"shape", batch_shape(node.output)},
            {"dtype", "float32"},
            {"keras_history", {node.name, 0, 0}}}}};
}

}  // namespace

std::vector<KerasNode> in_keras_order(const std::vector<KerasNode>& nodes) {
  std::vector<KerasNode> ordered;
  const KerasOrder order(nodes);
  for (const std::size_t node : order.order()) ordered.push_back(nodes[node]);
  return ordered;
}

KerasJson functional_config(const std::string& name, const std::vector<KerasNode>& nodes) {
  std::map<std::string, const KerasNode*> by_name;
  KerasJson layers = KerasJson::array();
  for (const KerasNode& node : nodes) {
    by_name[node.name] = &node;
    KerasJson arguments = KerasJson::array();
    for (const std::string& input : node.inputs) arguments.push_back(argument(*by_name.at(input)));
    if (node.takes_list) arguments = KerasJson::array({std::move(arguments)});
    KerasJson layer = node.object;
    layer["name"] = node.name;
    layer["inbound_nodes"] = KerasJson::array();
    if (!node.inputs.empty()) {
      layer["inbound_nodes"].push_back(
          KerasJson{{"args", std::move(arguments)}, {"kwargs", KerasJson::object()}});
    }
    layers.push_back(std::move(layer));
  }
  return {{"module", "keras.src.models.functional"},
          {"class_name", "Functional"},
          {"config",
           {{"name", name},
            {"trainable", true},
            {"layers", std::move(layers)},
            {"input_layers", KerasJson::array({KerasJson{nodes.front().name, 0, 0}})},
            {"output_layers", KerasJson::array({KerasJson{nodes.back().name, 0, 0}})}}},
          {"registered_name", "Functional"}};
}

std::vector<KerasNode> network_nodes(const Sequential& model) {
  std::vector<KerasNode> nodes;
  nodes.push_back(
      {kImagesName, "InputLayer", keras_input(kImagesName, model.input), model.input, {}});
  const std::vector<std::vector<int>> sources = sources_of_layers(model);
  const std::vector<LayerInfo> infos = describe_layers(model);
  for (std::size_t i = 0; i < infos.size(); ++i) {
    std::vector<std::string> inputs;
    for (const int source : sources[i]) {
      inputs.push_back(source == kImages ? kImagesName
                                         : name_of(model.layers[static_cast<std::size_t>(source)]));
    }
    const Layer& layer = model.layers[i];
    const bool takes_list = inputs.size() > 1;
    nodes.push_back({name_of(layer), class_name_of(layer), layer_object(layer, model),
                     infos[i].output, std::move(inputs), takes_list});
  }
  return model.inputs.empty() ? nodes : in_keras_order(nodes);
}

KerasJson model_config(const Sequential& model) {
  return model.inputs.empty() ? sequential_config(model)
                              : functional_config(model.name, network_nodes(model));
}

}  // namespace sluice
