#include "formats/keras/connections.h"

#include <map>
#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "formats/keras/config_reader.h"
#include "formats/keras/keys.h"

namespace sluice {

namespace {

using Json = nlohmann::json;

Json tensor(const Json& name) {
  return {{"tensor", name}};
}

/// Keras 2 writes a tensor among the arguments of an operation as ["layer", node, tensor].
bool is_tensor_of_keras_2(const Json& json) {
  return json.is_array() && json.size() == 3 && json[0].is_string() &&
         json[1].is_number_integer() && json[2].is_number_integer();
}

/// An argument, its tensors as KerasCall has them. The depth of JSON is bounded.
Json argument_of(const Json& json, bool keras_2) {
  if (keras_2 && is_tensor_of_keras_2(json)) return tensor(json[0]);
  if (json.is_object()) {
    const auto history = json.find("keras_history");
    if (history != json.end() && history->is_array() && !history->empty() &&
        history->front().is_string()) {
      return tensor(history->front());
    }
    if (json.contains("config") && json["config"].is_object() &&
        json["config"].contains("keras_history")) {
      return argument_of(json["config"], keras_2);
    }
  }
  if (!json.is_structured()) return json;
  Json copy = json.is_array() ? Json::array() : Json::object();
  if (json.is_array()) {
    for (const Json& member : json) copy.push_back(argument_of(member, keras_2));
  } else {
    for (const auto& [key, member] : json.items()) copy[key] = argument_of(member, keras_2);
  }
  return copy;
}

/// Keras 2: [layer, node, tensor, {named arguments}] of an operation, or a list of such of a layer.
KerasCall call_of_keras_2(const Json& node) {
  KerasCall call;
  const bool flat = !node.empty() && node.front().is_string();
  Json sources = Json::array();
  for (const Json& source : flat ? Json::array({node}) : node) {
    if (!source.is_array() || source.size() < 3 || !source.front().is_string()) continue;
    const bool constant = source.front() == "_CONSTANT_VALUE";
    sources.push_back(constant ? source[2] : tensor(source.front()));
    if (source.size() > 3 && source[3].is_object()) {
      for (const auto& [key, value] : source[3].items()) {
        if (!value.is_null()) call.named[key] = argument_of(value, true);
      }
    }
  }
  call.arguments = flat || sources.size() == 1 ? sources : Json::array({sources});
  return call;
}

KerasCall call_of(const Json& node) {
  if (node.is_array()) return call_of_keras_2(node);
  KerasCall call;
  if (!node.is_object()) return call;
  if (node.contains("args") && node["args"].is_array()) {
    call.arguments = argument_of(node["args"], false);
  }
  if (node.contains("kwargs") && node["kwargs"].is_object()) {
    for (const auto& [key, value] : node["kwargs"].items()) {
      if (!value.is_null()) call.named[key] = argument_of(value, false);
    }
  }
  return call;
}

void collect_sources(const Json& json, std::vector<std::string>& sources) {
  if (json.is_object() && json.size() == 1 && json.contains("tensor")) {
    if (json["tensor"].is_string()) sources.push_back(json["tensor"].get<std::string>());
  } else if (json.is_structured()) {
    for (const Json& member : json) collect_sources(member, sources);
  }
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

/// Legacy files have no modules. There only layers have the setting "trainable".
bool is_operation_in_h5(const Json& layer) {
  const Json& nodes = nodes_of(layer);
  const bool is_call = nodes.is_array() && !nodes.empty() && nodes[0].is_object();
  return is_call && !layer.contains("module") && layer.contains("config") &&
         layer["config"].is_object() && !layer["config"].contains("trainable");
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
      Open& open = open_.back();
      if (open.next < open.sources.size()) {
        visit(std::string(open.sources[open.next++]));
        continue;
      }
      finished_.push_back(std::move(open.layer));
      done_.insert(open.name);
      open_.pop_back();
    }
    return finished_;
  }

 private:
  void visit(const std::string& name) {
    if (done_.contains(name)) return;
    const auto found = by_name_.find(name);
    if (found == by_name_.end() || !met_.insert(name).second) {
      throw user_error("keras", "{}: the layers' connections lead to '{}', which cannot be", place_,
                       one_line(name));
    }
    const Json& nodes = nodes_of(*found->second);
    if (nodes.size() > 1) {
      throw user_error("keras",
                       "{}: layer '{}' has {} calls, and Sluice computes one of each layer", place_,
                       one_line(name), nodes.size());
    }
    KerasCall call = nodes.empty() ? KerasCall() : call_of(nodes[0]);
    std::vector<std::string> sources = call.sources();
    open_.push_back({name, {found->second, std::move(call)}, std::move(sources)});
  }

  struct Open {
    std::string name;
    ConnectedLayer layer;
    std::vector<std::string> sources;
    std::size_t next = 0;  ///< the next source to visit
  };

  const std::string& place_;
  std::map<std::string, const Json*> by_name_;
  std::set<std::string> met_;
  std::set<std::string> done_;
  std::vector<Open> open_;
  std::vector<ConnectedLayer> finished_;
};

}  // namespace

const Json& KerasCall::argument(std::size_t place, std::initializer_list<const char*> keys) const {
  static const Json null;
  if (place < arguments.size()) return arguments[place];
  for (const char* key : keys) {
    if (named.contains(key)) return named[key];
  }
  return null;
}

std::vector<std::string> KerasCall::sources() const {
  std::vector<std::string> sources;
  collect_sources(arguments, sources);
  collect_sources(named, sources);
  return sources;
}

std::string operation_of(const Json& layer) {
  const std::string type = text_in(layer, "class_name");
  if (text_in(layer, "module").starts_with("keras.src.ops.") || is_operation_in_h5(layer)) {
    return keras_snake_case(type);
  }
  if (type != "TFOpLambda" && type != "SlicingOpLambda") return "";
  std::string name = layer.contains("config") ? text_in(layer["config"], "function") : "";
  name = name.substr(name.rfind('.') + 1);
  static const std::map<std::string, std::string> as_in_keras_3{
      {"truediv", "true_divide"}, {"divide", "true_divide"}, {"getitem", "get_item"},
      {"reduce_sum", "sum"},      {"concat", "concatenate"}, {"neg", "negative"},
      {"reduce_max", "max"}};
  const auto found = as_in_keras_3.find(name);
  return found == as_in_keras_3.end() ? name : found->second;
}

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

}  // namespace sluice
