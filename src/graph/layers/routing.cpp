#include "graph/layers/routing.h"

#include "graph/layer_types.h"
#include "graph/thresholds.h"

namespace sluice {

namespace {

void require_experts_of_classes(const std::vector<int>& expert_of_class, std::size_t experts) {
  for (const int expert : expert_of_class) {
    if (expert >= 0 && static_cast<std::size_t>(expert) < experts) continue;
    throw misfit("expert_of_class must have numbers from 0 to {}, not {}", experts - 1, expert);
  }
}

void require_gate(const MixtureOfExperts& layer, std::span<const Shape> inputs) {
  const auto experts = static_cast<std::int64_t>(layer.experts.size());
  if (experts < 2) throw misfit("must have from 2 to {} experts, not {}", kMostExperts, experts);
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
  constexpr double kLargest = 1e6;  // of logits and what divides them: floats stay finite
  if (!(layer.temperature >= 1 / kLargest && layer.temperature <= kLargest)) {
    throw misfit("temperature must be from {:g} to {:g}, not {}", 1 / kLargest, kLargest,
                 layer.temperature);
  }
  for (const auto& [setting, value] :
       {std::pair{"noise", layer.noise}, {"bias_rate", layer.bias_rate}}) {
    if (value >= 0 && value <= kLargest) continue;
    throw misfit("{} must be from 0 to {:g}, not {}", setting, kLargest, value);
  }
  if (layer.gate_loss > 0 && layer.expert_of_class.empty()) {
    throw misfit("gate_loss needs expert_of_class: give an expert, from 0, for each class");
  }
  require_experts_of_classes(layer.expert_of_class, layer.experts.size());
}

void require_first_answer(const Cascade& layer, std::span<const Shape> inputs) {
  if (inputs.size() != 2) {
    throw misfit("takes two inputs, values and the logits of a first answer, not {}",
                 inputs.size());
  }
  if (inputs[1].size() != 1) {
    throw misfit("takes a first answer with a logit for each class, not {}", to_string(inputs[1]));
  }
  if (!(layer.share >= 0 && layer.share <= 1)) {
    throw misfit("share must be between 0 and 1, not {}", layer.share);
  }
  if (!(layer.training_share > 0 && layer.training_share <= 1)) {
    throw misfit("training_share must be above 0 and at most 1, not {}", layer.training_share);
  }
  if (!(layer.first_loss >= 0)) {
    throw misfit("first_loss must be at least 0, not {}", layer.first_loss);
  }
  const std::size_t classes = static_cast<std::size_t>(inputs[1][0]);
  if (layer.expert_of_class.size() != (layer.experts.size() > 1 ? classes : 0)) {
    throw misfit(
        "expert_of_class must have an expert, from 0, for each of {} classes, and none "
        "for one expert",
        classes);
  }
  require_experts_of_classes(layer.expert_of_class, layer.experts.size());
}

void require_expert(const std::vector<Sequential>& experts, std::size_t number) {
  const Sequential& expert = experts[number];
  if (std::ranges::any_of(expert.layers, is_mixture)) {
    throw misfit("{} has a mixture of its own: put such a layer behind this one", expert.name);
  }
  for (std::size_t before = 0; before < number; ++before) {
    if (experts[before].name != expert.name) continue;
    throw misfit("two experts are called '{}', and each needs a name of its own", expert.name);
  }
}

/// Gives the experts their input. Adds their tensors and operations to `info`, sets its output, and
/// returns the number of their parameters.
double describe_experts(std::vector<Sequential>& experts, const Shape& input, LayerInfo& info) {
  double parameters = 0;
  for (std::size_t e = 0; e < experts.size(); ++e) {
    require_expert(experts, e);
    Sequential& expert = experts[e];
    expert.input = input;
    const std::vector<LayerInfo> layers = describe_layers(expert);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      for (TensorSpec tensor : layers[i].tensors) {
        if (tensor.initializer == Initializer::whitening ||
            tensor.initializer == Initializer::centroids) {
          throw misfit("{} has a kernel that begins by images, as layers outside experts may",
                       expert.name);
        }
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
                   experts[0].name, to_string(info.output), expert.name, to_string(output));
    }
  }
  return parameters;
}

}  // namespace

LayerInfo LayerType<MixtureOfExperts>::describe(const MixtureOfExperts& layer,
                                                std::span<const Shape> inputs) {
  require_gate(layer, inputs);
  LayerInfo info;
  const bool selection_bias = layer.bias_rate > 0;
  if (selection_bias) {
    info.tensors.push_back({kSelectionBias, inputs[1], Initializer::zeros, false});
  }
  operation::MixtureOfExperts operation{
      layer.experts,   layer.top_k,           layer.normalize_weights, layer.balance_loss,
      layer.gate_loss, layer.expert_of_class, layer.temperature,       layer.noise,
      selection_bias,  layer.bias_rate};
  const double parameters = describe_experts(operation.experts, inputs[0], info);
  const auto experts = static_cast<double>(layer.experts.size());
  const double active = layer.top_k / experts;
  info.flops *= active;
  info.idle_parameters = static_cast<std::int64_t>(parameters * (1 - active));
  info.operations = {std::move(operation)};
  return info;
}

LayerInfo LayerType<Cascade>::describe(const Cascade& layer, std::span<const Shape> inputs) {
  require_first_answer(layer, inputs);
  LayerInfo info;
  info.tensors.push_back({kThresholds, {kThresholdCount}, Initializer::ones, false});
  operation::Cascade operation{layer.experts, layer.expert_of_class, layer.share,
                               layer.training_share, layer.first_loss};
  const double parameters = describe_experts(operation.experts, inputs[0], info);
  if (info.output != inputs[1]) {
    throw misfit("{} gives {}, and the first answer {}: both must have a logit for each class",
                 operation.experts[0].name, to_string(info.output), to_string(inputs[1]));
  }
  const double of_one = info.flops / static_cast<double>(layer.experts.size());
  info.flops = layer.share * of_one;
  info.only_training_flops = layer.training_share * of_one - info.flops;
  info.idle_parameters = static_cast<std::int64_t>(
      parameters * (1 - layer.share / static_cast<double>(layer.experts.size())));
  info.operations = {std::move(operation)};
  return info;
}

}  // namespace sluice
