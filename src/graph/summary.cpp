#include <set>

#include "graph/layer_types.h"

namespace sluice {

std::int64_t LayerSummary::parameters() const {
  std::int64_t count = 0;
  for (const TensorSpec& tensor : tensors) count += element_count(tensor.shape);
  return count;
}

std::vector<LayerInfo> describe_layers(const Sequential& model) {
  if (model.layers.empty()) throw user_error("model", "{} has no layers: add one", model.name);
  if (model.input.empty()) throw user_error("model", "{} has no input shape: give one", model.name);
  for (const std::int64_t size : model.input) {
    if (size >= 1 && size <= kMostUnits) continue;
    throw user_error("model", "{}: input: sizes must be from 1 to {}, not {}", model.name,
                     kMostUnits, size);
  }
  std::vector<LayerInfo> layers;
  std::set<std::string> names;
  for (const Layer& layer : model.layers) {
    const std::string& name = name_of(layer);
    // Two layers with one name would take the same tensors of a file.
    if (!names.insert(name).second) {
      throw user_error("model", "{}: two layers are called '{}', and each needs a name of its own",
                       model.name, name);
    }
    try {
      layers.push_back(describe(layer, layers.empty() ? model.input : layers.back().output));
    } catch (const Error& error) {
      throw user_error("model", "{}: {}: {}", model.name, name, untagged(error));
    }
  }
  return layers;
}

std::vector<LayerSummary> summarize(const Sequential& model) {
  std::vector<LayerSummary> summary;
  for (LayerInfo& info : describe_layers(model)) {
    const Layer& layer = model.layers[summary.size()];
    summary.push_back({name_of(layer), class_name_of(layer), std::move(info.output),
                       std::move(info.tensors), info.flops});
  }
  return summary;
}

double count_flops(const Sequential& model) {
  double flops = 0;
  for (const LayerSummary& layer : summarize(model)) flops += layer.flops;
  return flops;
}

std::int64_t count_parameters(const Sequential& model) {
  std::int64_t count = 0;
  for (const LayerSummary& layer : summarize(model)) count += layer.parameters();
  return count;
}

}  // namespace sluice
