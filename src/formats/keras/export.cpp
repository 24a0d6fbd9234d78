#include <algorithm>

#include "base/fail.h"
#include "base/files.h"
#include "base/text.h"
#include "formats/hdf5/writer.h"
#include "formats/keras/config_writer.h"
#include "formats/keras/keras_names.h"
#include "formats/keras/keys.h"
#include "formats/keras/mixture_graph.h"
#include "formats/keras/zip.h"
#include "graph/layer_types.h"
#include "sluice/exchange.h"

namespace sluice {

namespace {

/// The version whose format this is. Keras does not look at it.
constexpr const char* kKerasVersion = "3.15.1";

struct KerasParts {
  KerasJson config;
  std::string weights;  ///< model.weights.h5
};

/// Every layer has its group "vars" with its name, also one without weights.
void write_vars(Hdf5Writer& file, const std::string& path, const std::string& name) {
  file.group(path + "vars");
  file.attribute(path + "vars", "name", name);
}

/// `path` is empty or ends in a slash.
void write_network(Hdf5Writer& file, const std::string& path, const Sequential& model,
                   const Weights& weights) {
  write_vars(file, path, model.name);
  KerasKeys keys;
  for (const KerasNode& node : network_nodes(model)) {
    if (node.class_name == "InputLayer" && model.inputs.empty()) continue;  // a Sequential has none
    const std::string place = path + "layers/" + keys.next(node.class_name) + "/";
    write_vars(file, place, node.name);
    int number = 0;
    for (const Weights::Tensor& tensor : weights.tensors()) {
      if (tensor.layer != node.name) continue;
      file.dataset(fmt::format("{}vars/{}", place, number++), tensor.shape, weights.values(tensor));
    }
  }
}

KerasParts keras_parts(const SavedModel& saved) {
  check_keras_names(saved.model);
  Hdf5Writer weights;
  write_network(weights, "", saved.model, saved.weights);
  return {model_config(saved.model), weights.bytes()};
}

KerasParts keras_parts(const SavedMixture& saved) {
  const std::string name = names::kMixture;
  const std::vector<const Sequential*> parts = saved.model.parts();
  for (const Sequential* part : parts) check_keras_names(*part);
  const std::vector<KerasNode> nodes = mixture_graph(saved.model);

  Hdf5Writer file;
  write_vars(file, "", name);
  KerasKeys keys;
  for (const KerasNode& node : nodes) {
    const std::string place = "layers/" + keys.next(node.class_name) + "/";
    const auto part = std::find(parts.begin(), parts.end(), node.part);
    if (part == parts.end()) {
      write_vars(file, place, node.name);
    } else {
      write_network(file, place, *node.part, *saved.weights.parts()[part - parts.begin()]);
    }
  }
  return {functional_config(name, nodes), file.bytes()};
}

}  // namespace

void export_keras(const std::filesystem::path& file, const AnyModel& model) {
  const NamedForKeras named = with_keras_names(model);
  const KerasParts parts =
      std::visit([](const auto& saved) { return keras_parts(saved); }, named.model);
  // Class names go into a member that Keras has too and does not read. A member of its own would
  // make load_model() unpack the whole file into a temporary folder first.
  const std::string metadata =
      KerasJson{{"keras_version", kKerasVersion}, {"sluice", named.notes}}.dump();
  const std::string config = parts.config.dump();
  write_file(file, to_zip({{"metadata.json", metadata},
                           {"config.json", config},
                           {"model.weights.h5", parts.weights}}));
}

}  // namespace sluice
