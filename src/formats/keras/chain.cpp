#include "formats/keras/chain.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "formats/keras/config_reader.h"

namespace sluice {

namespace {

using Json = nlohmann::json;

std::string name_of(const Json& layer) {
  const std::string name = text_in(layer, "name");
  return name.empty() && layer.contains("config") ? text_in(layer["config"], "name") : name;
}

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

}  // namespace

std::vector<const Json*> chain_of(const Json& model, const std::string& place) {
  std::map<std::string, const Json*> by_name;
  const Json& layers = layers_of_config(model, place);
  for (const Json& layer : layers) by_name[name_of(layer)] = &layer;

  std::vector<const Json*> chain;
  std::set<std::string> met;
  for (std::string name = only_output(model["config"], place);;) {
    const auto found = by_name.find(name);
    if (found == by_name.end() || !met.insert(name).second) {
      throw user_error("keras", "{}: the layers' connections lead to '{}', which cannot be", place,
                       one_line(name));
    }
    chain.push_back(found->second);
    const Json& nodes = nodes_of(*found->second);
    if (nodes.empty()) break;
    const std::vector<std::string> sources = sources_of(nodes.front());
    if (nodes.size() != 1 || sources.size() != 1) {
      throw user_error("keras",
                       "{}: layer '{}' has {}, and Sluice reads chains: one layer after another",
                       place, one_line(name),
                       nodes.size() != 1 ? fmt::format("{} calls", nodes.size())
                                         : fmt::format("{} inputs", sources.size()));
    }
    name = sources.front();
  }
  if (chain.size() != layers.size()) {
    throw user_error("keras", "{}: {} of {} layers are on no way to the output", place,
                     layers.size() - chain.size(), layers.size());
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

bool is_chain(const Json& model, const std::string& place) {
  return std::ranges::all_of(layers_of_config(model, place), [](const Json& layer) {
    const Json& nodes = nodes_of(layer);
    return nodes.empty() || (nodes.size() == 1 && sources_of(nodes.front()).size() == 1);
  });
}

}  // namespace sluice
