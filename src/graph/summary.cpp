#include "base/text.h"
#include "graph/layer_types.h"
#include "graph/wiring.h"

namespace sluice {

namespace {

/// Applies Sequential::frozen to a layer, and adds what it found to `found`.
void freeze(const std::set<std::string>& frozen, const std::string& layer, LayerInfo& info,
            std::set<std::string>& found) {
  const auto is_frozen = [&](const std::string& name) {
    if (!frozen.contains(name)) return false;
    found.insert(name);
    return true;
  };
  const bool whole = is_frozen(layer);
  for (TensorSpec& tensor : info.tensors) {
    if (is_frozen(layer + "/" + tensor.name) || whole) tensor.trained = false;
  }
  for (Operation& operation : info.operations) {
    auto* normalization = std::get_if<operation::BatchNormalization>(&operation);
    if (normalization != nullptr) normalization->frozen = whole;
    auto* mixture = std::get_if<operation::MixtureOfExperts>(&operation);
    if (mixture != nullptr && (whole || frozen.contains(layer + "/" + kSelectionBias))) {
      mixture->bias_rate = 0;
    }
    if (!whole) continue;
    std::visit(
        [](auto& each) {
          if constexpr (requires { each.experts; }) {
            for (Sequential& expert : each.experts) {
              for (const Layer& inner : expert.layers) expert.frozen.insert(name_of(inner));
            }
          }
        },
        operation);
  }
}

void require_all_found(const Sequential& model, const std::set<std::string>& found) {
  for (const std::string& name : model.frozen) {
    if (found.contains(name)) continue;
    throw user_error("model", "{}: '{}' is frozen, and is no layer, and no layer's tensor",
                     model.name, one_line(name));
  }
}

}  // namespace

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
  std::vector<Shape> inputs;
  std::set<std::string> frozen;
  for (const std::vector<int>& sources : sources_of_layers(model)) {
    inputs.clear();
    for (const int source : sources) {
      inputs.push_back(source == kImages ? model.input
                                         : layers[static_cast<std::size_t>(source)].output);
    }
    const Layer& layer = model.layers[layers.size()];
    try {
      layers.push_back(describe(layer, inputs));
    } catch (const Error& error) {
      throw user_error("model", "{}: {}: {}", model.name, name_of(layer), untagged(error));
    }
    freeze(model.frozen, name_of(layer), layers.back(), frozen);
  }
  require_all_found(model, frozen);
  return layers;
}

std::vector<LayerSummary> summarize(const Sequential& model) {
  std::vector<LayerSummary> summary;
  for (LayerInfo& info : describe_layers(model)) {
    const Layer& layer = model.layers[summary.size()];
    summary.push_back({name_of(layer), class_name_of(layer), std::move(info.output),
                       std::move(info.tensors), info.flops, info.flops + info.only_training_flops,
                       info.idle_parameters});
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
