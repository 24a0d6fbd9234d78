#include "conduct/frontier/mean_gates.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "eval/outputs.h"
#include "graph/graph_builder.h"
#include "graph/weights.h"

namespace sluice {

namespace {

/// The gate of a CondConv2D as a network, with the layers before it.
Sequential gate_of(const Sequential& model, std::size_t number) {
  const auto& mixed = std::get<CondConv2D>(model.layers[number]);
  const std::vector<std::vector<int>> sources = sources_of_layers(model);
  GraphBuilder graph;
  std::vector<std::string> places;
  for (std::size_t i = 0; i < number; ++i) {
    places.push_back(graph.add(model.layers[i], names_of_sources(sources[i], places)));
  }
  const std::string means = graph.add(GlobalAveragePooling2D{mixed.name + ".means"},
                                      names_of_sources(sources[number], places));
  const std::string last =
      graph.add(Dense{mixed.name, mixed.kernels, Activation::softmax}, {means});
  Sequential gate = pruned(graph.take(), last);
  gate.name = model.name;
  gate.input = model.input;
  return gate;
}

/// The mean of the gate's outputs.
std::vector<double> mean_gate(const Sequential& gate, const Weights& weights,
                              const Examples& images, const CompileOptions& options) {
  const std::string& name = name_of(gate.layers.back());
  Weights own(gate);
  for (const Weights::Tensor& tensor : own.tensors()) {
    const std::string kind = (tensor.layer == name ? "gate_" : "") + tensor.kind;
    std::ranges::copy(weights.values(tensor_of(weights, tensor.layer, kind)),
                      own.values(tensor).begin());
  }
  const auto compiled = compile_for_inference(gate, own, options);
  const auto kernels = static_cast<std::size_t>(compiled->outputs());
  std::vector<double> means(kernels);
  predict_in_batches(*compiled, images, [&](const Batch&, std::span<const float> outputs) {
    for (std::size_t i = 0; i < outputs.size(); ++i) means[i % kernels] += outputs[i];
  });
  for (double& mean : means) mean /= static_cast<double>(images.size());
  return means;
}

}  // namespace

Weights with_mean_gates(const Sequential& model, const Weights& weights, const Examples& images,
                        const CompileOptions& options) {
  Weights fixed = weights;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    if (!std::holds_alternative<CondConv2D>(model.layers[i])) continue;
    const std::string& name = name_of(model.layers[i]);
    const std::vector<double> means = mean_gate(gate_of(model, i), weights, images, options);
    std::ranges::fill(fixed.values(tensor_of(fixed, name, "gate_kernel")), 0.F);
    std::ranges::transform(means, fixed.values(tensor_of(fixed, name, "gate_bias")).begin(),
                           [](double mean) { return static_cast<float>(std::log(mean)); });
  }
  return fixed;
}

}  // namespace sluice
