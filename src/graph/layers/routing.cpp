#include "graph/layers/routing.h"

#include "graph/layer_types.h"

namespace sluice {

namespace {

bool is_mixture(const Layer& layer) {
  return std::holds_alternative<MixtureOfExperts>(layer);
}

void require_gate(const MixtureOfExperts& layer, std::span<const Shape> inputs) {
  const auto experts = static_cast<std::int64_t>(layer.experts.size());
  if (inputs.size() != 2) {
    throw misfit("takes two inputs, values and the logits of its gate, not {}", inputs.size());
  }
  if (inputs[1] != Shape{experts}) {
    throw misfit("has {} experts, whose gate needs as many outputs, not {}", experts,
                 to_string(inputs[1]));
  }
  if (layer.top_k > experts) {
    throw misfit("top_k must be at most {}, the number of experts, not {}", experts, layer.top_k);
  }
  if (!(layer.balance_loss >= 0 && layer.gate_loss >= 0)) {
    throw misfit("balance_loss and gate_loss must be at least 0, not {} and {}", layer.balance_loss,
                 layer.gate_loss);
  }
  if (layer.gate_loss > 0 && layer.expert_of_class.empty()) {
    throw misfit("gate_loss needs expert_of_class: give an expert, from 0, for each class");
  }
  for (const int expert : layer.expert_of_class) {
    if (expert >= 0 && expert < experts) continue;
    throw misfit("expert_of_class must have numbers from 0 to {}, not {}", experts - 1, expert);
  }
}

void require_expert(const MixtureOfExperts& layer, std::size_t number) {
  const Sequential& expert = layer.experts[number];
  if (std::ranges::any_of(expert.layers, is_mixture)) {
    throw misfit("{} has experts of its own: put such a layer behind this one", expert.name);
  }
  for (std::size_t before = 0; before < number; ++before) {
    if (layer.experts[before].name != expert.name) continue;
    throw misfit("two experts are called '{}', and each needs a name of its own", expert.name);
  }
}

}  // namespace

LayerInfo LayerType<MixtureOfExperts>::describe(const MixtureOfExperts& layer,
                                                std::span<const Shape> inputs) {
  require_gate(layer, inputs);
  LayerInfo info;
  operation::MixtureOfExperts operation{layer.experts,           layer.top_k,
                                        layer.normalize_weights, layer.balance_loss,
                                        layer.gate_loss,         layer.expert_of_class};
  double parameters = 0;
  for (std::size_t e = 0; e < operation.experts.size(); ++e) {
    require_expert(layer, e);
    Sequential& expert = operation.experts[e];
    expert.input = inputs[0];
    const std::vector<LayerInfo> layers = describe_layers(expert);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      for (TensorSpec tensor : layers[i].tensors) {
        tensor.name = expert.name + "/" + name_of(expert.layers[i]) + "/" + tensor.name;
        parameters += static_cast<double>(element_count(tensor.shape));
        info.tensors.push_back(std::move(tensor));
      }
      info.flops += layers[i].flops;
    }
    const Shape& output = layers.back().output;
    if (e == 0) info.output = output;
    if (output != info.output) {
      throw misfit("{} gives {} and {} gives {}: experts must have outputs of one shape",
                   operation.experts[0].name, to_string(info.output), expert.name,
                   to_string(output));
    }
  }
  const auto experts = static_cast<double>(layer.experts.size());
  const double active = layer.top_k / experts;
  info.flops *= active;
  info.idle_parameters = static_cast<std::int64_t>(parameters * (1 - active));
  info.operations = {std::move(operation)};
  return info;
}

}  // namespace sluice
