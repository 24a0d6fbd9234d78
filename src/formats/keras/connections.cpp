#include "formats/keras/connections.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "formats/keras/config_reader.h"

namespace sluice {

namespace {

using Json = nlohmann::json;

/// Keras 3: every "keras_history": [layer, node, tensor] inside. The depth of JSON is bounded.
void collect(const Json& json, std::vector<std::string>& sources) {
  if (json.is_object()) {
    const auto history = json.find("keras_history");
    if (history != json.end() && history->is_array() && !history->empty() &&
        history->front().is_string()) {
      sources.push_back(history->front().get<std::string>());
      return;
    }
  }
  if (json.is_structured()) {
    for (const Json& member : json) collect(member, sources);
  }
}

/// The layers whose outputs a call takes.
std::vector<std::string> sources_of(const Json& node) {
  std::vector<std::string> sources;
  if (node.is_object()) {
    collect(node, sources);
  } else if (node.is_array()) {  // Keras 2: a list of [layer, node, tensor, arguments]
    for (const Json& source : node) {
      if (source.is_array() && !source.empty() && source.front().is_string()) {
        sources.push_back(source.front().get<std::string>());
      }
    }
  }
  return sources;
}

/// ["output", 0, 0], a list of such, or a dictionary.
void collect_outputs(const Json& json, std::vector<std::string>& outputs) {
  if (json.is_array() && !json.empty() && json.front().is_string()) {
    outputs.push_back(json.front().get<std::string>());
  } else if (json.is_structured()) {
    for (const Json& member : json) collect_outputs(member, outputs);
  }
}

std::string only_output(const Json& config, const std::string& place) {
  std::vector<std::string> outputs;
  if (config.contains("output_layers")) collect_outputs(config["output_layers"], outputs);
  if (outputs.size() != 1) {
    throw user_error("keras", "{}: the model has {} outputs, and Sluice reads models of one", place,
                     outputs.size());
  }
  return outputs.front();
}

/// A layer's calls; null where it has none.
const Json& nodes_of(const Json& layer) {
  static const Json null;
  const auto nodes = layer.is_object() ? layer.find("inbound_nodes") : layer.end();
  return layer.is_object() && nodes != layer.end() && nodes->is_array() ? *nodes : null;
}

/// Walks from the output to what it takes.
class Walk {
 public:
  Walk(const Json& model, const std::string& place) : place_(place) {
    for (const Json& layer : layers_of_config(model, place))
      by_name_[name_of_config(layer)] = &layer;
  }

  std::vector<ConnectedLayer> from(const std::string& output) {
    visit(output);
    while (!open_.empty()) {
      auto& [name, next] = open_.back();
      ConnectedLayer& layer = met_.at(name);
      if (next < layer.sources.size()) {
        visit(std::string(layer.sources[next++]));
        continue;
      }
      finished_.push_back(layer);
      done_.insert(name);
      open_.pop_back();
    }
    return finished_;
  }

 private:
  void visit(const std::string& name) {
    if (done_.contains(name)) return;
    const auto found = by_name_.find(name);
    if (found == by_name_.end() || met_.contains(name)) {
      throw user_error("keras", "{}: the layers' connections lead to '{}', which cannot be", place_,
                       one_line(name));
    }
    const Json& nodes = nodes_of(*found->second);
    if (nodes.size() > 1) {
      throw user_error("keras",
                       "{}: layer '{}' has {} calls, and Sluice computes one of each layer", place_,
                       one_line(name), nodes.size());
    }
    met_[name] = {found->second, nodes.empty() ? std::vector<std::string>() : sources_of(nodes[0])};
    open_.emplace_back(name, 0);
  }

  const std::string& place_;
  std::map<std::string, const Json*> by_name_;
  std::map<std::string, ConnectedLayer> met_;
  std::set<std::string> done_;
  std::vector<std::pair<std::string, std::size_t>> open_;  ///< and the next source to visit
  std::vector<ConnectedLayer> finished_;
};

}  // namespace

std::string name_of_config(const Json& layer) {
  const std::string name = text_in(layer, "name");
  return name.empty() && layer.contains("config") ? text_in(layer["config"], "name") : name;
}

std::vector<ConnectedLayer> connected_layers(const Json& model, const std::string& place) {
  std::vector<ConnectedLayer> layers = Walk(model, place).from(only_output(model["config"], place));
  const std::size_t all = layers_of_config(model, place).size();
  if (layers.size() != all) {
    throw user_error("keras", "{}: {} of {} layers are on no way to the output", place,
                     all - layers.size(), all);
  }
  return layers;
}

bool is_chain(const Json& model, const std::string& place) {
  return std::ranges::all_of(layers_of_config(model, place), [](const Json& layer) {
    const Json& nodes = nodes_of(layer);
    return nodes.empty() || (nodes.size() == 1 && sources_of(nodes.front()).size() == 1);
  });
}

}  // namespace sluice
