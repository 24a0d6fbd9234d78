#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/files.h"
#include "formats/hdf5/writer.h"
#include "formats/keras/config_writer.h"
#include "formats/keras/keras_names.h"
#include "formats/keras/mixture_graph.h"
#include "graph/layer_types.h"
#include "graph/wiring.h"
#include "sluice/exchange.h"

namespace sluice {

namespace {

/// The last version of Keras 2. Keras does not look at it.
constexpr const char* kKeras2 = "2.15.0";
constexpr const char* kBackend = "tensorflow";
constexpr const char* kModelWeights = "model_weights";

/// Where a layer's inputs come from: [["baseline", 0, 0, {}], ...], from Keras 3's
/// {"args": [{"config": {"keras_history": ["baseline", 0, 0]}}]}.
void collect_sources(const KerasJson& json, KerasJson& sources) {
  if (json.is_object() && json.contains("keras_history")) {
    sources.push_back(json["keras_history"]);
    sources.back().push_back(KerasJson::object());
  } else if (json.is_structured()) {
    for (const KerasJson& member : json) collect_sources(member, sources);
  }
}

/// A configuration of Keras 3 as Keras 2 has it.
KerasJson to_keras_2(const KerasJson& json) {
  if (json.is_array()) {
    KerasJson list = KerasJson::array();
    for (const KerasJson& member : json) list.push_back(to_keras_2(member));
    return list;
  }
  if (!json.is_object()) return json;
  KerasJson object = KerasJson::object();
  for (const auto& [key, value] : json.items()) {
    // With a module, Keras 2.13 and later take an object for one of Keras 3's form.
    if (key == "module" || key == "registered_name") continue;
    if (key == "inbound_nodes") {
      object[key] = KerasJson::array();
      for (const KerasJson& node : value) {
        KerasJson sources = KerasJson::array();
        collect_sources(node, sources);
        object[key].push_back(std::move(sources));
      }
    } else {
      object[key == "batch_shape" ? "batch_input_shape" : key] = to_keras_2(value);
    }
  }
  if (object.contains("class_name") && object["class_name"] == "LeakyReLU") {
    KerasJson& config = object["config"];
    config["alpha"] = config["negative_slope"];
    config.erase("negative_slope");
  }
  return object;
}

/// In Keras 2 a nested model's first node is its own, from its input layer: calls count from 1.
/// With 0 its load_model() searches for ever.
void renumber_nested(KerasJson& layers) {
  std::set<std::string> nested;
  for (const KerasJson& layer : layers) {
    if (layer["class_name"] == "Sequential") nested.insert(layer["name"].get<std::string>());
  }
  for (KerasJson& layer : layers) {
    if (!layer.contains("inbound_nodes")) continue;
    for (KerasJson& node : layer["inbound_nodes"]) {
      for (KerasJson& source : node) {
        if (nested.contains(source[0].get<std::string>())) source[1] = 1;
      }
    }
  }
}

/// A group with tensors in this order.
void write_group(Hdf5Writer& file, const std::string& name, const Weights& weights,
                 const std::vector<Weights::Tensor>& tensors) {
  const std::string path = fmt::format("{}/{}", kModelWeights, name);
  file.group(path);
  std::vector<std::string> names;
  for (const Weights::Tensor& tensor : tensors) {
    names.push_back(fmt::format("{}/{}:0", tensor.layer, tensor.kind));
    file.dataset(path + "/" + names.back(), tensor.shape, weights.values(tensor));
  }
  file.attribute(path, "weight_names", names);
}

std::vector<Weights::Tensor> tensors_of_layer(const Weights& weights, const std::string& layer) {
  std::vector<Weights::Tensor> tensors = weights.tensors();
  std::erase_if(tensors, [&](const Weights::Tensor& each) { return each.layer != layer; });
  return tensors;
}

/// Tensors of a nested model in the order in which Keras takes them: those that are trained first.
/// Keras freezes whole layers.
std::vector<Weights::Tensor> in_order_of_nested(const Sequential& model, const Weights& weights) {
  std::vector<Weights::Tensor> ordered;
  const std::vector<KerasNode> nodes = network_nodes(model);
  for (const bool trained : {true, false}) {
    for (const KerasNode& node : nodes) {
      for (const Weights::Tensor& tensor : tensors_of_layer(weights, node.name)) {
        const bool is_state = tensor.kind.starts_with("moving_");
        if (trained != (is_state || model.frozen.contains(node.name))) ordered.push_back(tensor);
      }
    }
  }
  return ordered;
}

KerasJson write_weights(Hdf5Writer& file, const SavedModel& saved,
                        std::vector<std::string>& layers) {
  check_keras_names(saved.model);
  // Keras takes the weights in the order of its own model.layers.
  for (const KerasNode& node : network_nodes(saved.model)) {
    if (node.name == kImagesName) continue;
    layers.push_back(node.name);
    write_group(file, node.name, saved.weights, tensors_of_layer(saved.weights, node.name));
  }
  return model_config(saved.model);
}

KerasJson write_weights(Hdf5Writer& file, const SavedMixture& saved,
                        std::vector<std::string>& layers) {
  const std::vector<const Sequential*> parts = saved.model.parts();
  for (const Sequential* part : parts) check_keras_names(*part);
  const std::vector<KerasNode> nodes = mixture_graph(saved.model);
  for (const KerasNode& node : nodes) {
    layers.push_back(node.name);
    const auto part = std::find(parts.begin(), parts.end(), node.part);
    // The first part stands for a layer without weights.
    const bool is_part = part != parts.end();
    const Weights& weights = *saved.weights.parts()[is_part ? part - parts.begin() : 0];
    write_group(file, node.name, weights,
                is_part ? in_order_of_nested(**part, weights) : std::vector<Weights::Tensor>());
  }
  return functional_config(names::kMixture, nodes);
}

}  // namespace

void export_keras_h5(const std::filesystem::path& file, const AnyModel& model) {
  Hdf5Writer hdf5;
  hdf5.group(kModelWeights);
  std::vector<std::string> layers;
  const NamedForKeras named = with_keras_names(model);
  const KerasJson config = std::visit(
      [&](const auto& saved) { return write_weights(hdf5, saved, layers); }, named.model);
  hdf5.attribute(kModelWeights, "layer_names", layers);
  for (const char* group : {"/", kModelWeights}) {
    hdf5.attribute(group, "backend", kBackend);
    hdf5.attribute(group, "keras_version", kKeras2);
  }
  KerasJson legacy = to_keras_2(config);
  renumber_nested(legacy["config"]["layers"]);
  hdf5.attribute("/", "model_config", legacy.dump());
  hdf5.attribute("/", "sluice", KerasJson(named.notes).dump());
  write_file(file, hdf5.bytes());
}

}  // namespace sluice
