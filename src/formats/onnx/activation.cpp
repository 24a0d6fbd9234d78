#include "formats/onnx/activation.h"

#include <cmath>

namespace sluice {

namespace {

/// x * (1 + erf(x / sqrt(2))) / 2: Gelu came with opset 20.
std::string add_gelu(OnnxGraph& graph, const std::string& name, const std::string& x) {
  const auto node = [&](const char* part, const char* op, const std::vector<std::string>& inputs) {
    return graph.add_node(name + "/" + part, op, inputs);
  };
  const std::string scaled =
      node("scaled", "Mul", {x, graph.add_scalar(name + "/root", float(std::sqrt(0.5)))});
  const std::string erf = node("erf", "Erf", {scaled});
  const std::string sum = node("sum", "Add", {erf, graph.add_scalar(name + "/one", 1.f)});
  const std::string half = node("half_x", "Mul", {x, graph.add_scalar(name + "/half", .5f)});
  return graph.add_node(name, "Mul", {half, sum});
}

}  // namespace

std::string add_activation(OnnxGraph& graph, const std::string& name, const std::string& value,
                           const operation::Activate& activate) {
  const auto node = [&](const char* op, const std::vector<OnnxGraph::Attribute>& attributes = {}) {
    return graph.add_node(name, op, {value}, attributes);
  };
  switch (activate.function) {
    case Activation::relu:
      return node("Relu");
    case Activation::softmax:
      return node("Softmax", {{"axis", std::int64_t{1}}});
    case Activation::sigmoid:
      return node("Sigmoid");
    case Activation::tanh:
      return node("Tanh");
    case Activation::elu:
      return node("Elu", {{"alpha", static_cast<float>(activate.alpha)}});
    case Activation::selu:
      return node("Selu");
    case Activation::gelu:
      return add_gelu(graph, name, value);
    case Activation::silu:
      return graph.add_node(name, "Mul",
                            {value, graph.add_node(name + "/sigmoid", "Sigmoid", {value})});
    case Activation::leaky_relu:
      return node("LeakyRelu", {{"alpha", static_cast<float>(activate.alpha)}});
    case Activation::relu6:
      return graph.add_node(
          name, "Clip",
          {value, graph.add_scalar(name + "/least", 0.f), graph.add_scalar(name + "/most", 6.f)});
    case Activation::softplus:
      return node("Softplus");
    case Activation::softsign:
      return node("Softsign");
    case Activation::exponential:
      return node("Exp");
    case Activation::hard_sigmoid:
      return node("HardSigmoid", {{"alpha", 1.f / 6}, {"beta", .5f}});
    case Activation::hard_silu:
      // HardSwish came with opset 14.
      return graph.add_node(name, "Mul",
                            {value, graph.add_node(name + "/hard_sigmoid", "HardSigmoid", {value},
                                                   {{"alpha", 1.f / 6}, {"beta", .5f}})});
    case Activation::mish: {  // Mish came with opset 18
      const std::string softplus = graph.add_node(name + "/softplus", "Softplus", {value});
      return graph.add_node(name, "Mul",
                            {value, graph.add_node(name + "/tanh", "Tanh", {softplus})});
    }
    case Activation::linear:
      break;
  }
  return value;
}

}  // namespace sluice
