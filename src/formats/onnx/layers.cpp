#include "formats/onnx/layers.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "formats/onnx/activation.h"
#include "graph/layer_types.h"
#include "graph/operations.h"
#include "graph/thresholds.h"
#include "graph/wiring.h"

namespace sluice {
namespace {

/// Keras's kernel (height, width, in, out) as ONNX's (out, in, height, width). A depthwise one is
/// (height, width, channels, 1) and (channels, 1, height, width).
std::vector<float> convolution_kernel(std::span<const float> keras, const Shape& shape) {
  const auto area = static_cast<std::size_t>(shape[0] * shape[1]);
  const auto in = static_cast<std::size_t>(shape[2]);
  const auto out = static_cast<std::size_t>(shape[3]);
  std::vector<float> kernel(keras.size());
  for (std::size_t hw = 0; hw < area; ++hw) {
    for (std::size_t i = 0; i < in; ++i) {
      for (std::size_t o = 0; o < out; ++o) {
        kernel[(o * in + i) * area + hw] = keras[(hw * in + i) * out + o];
      }
    }
  }
  return kernel;
}

std::vector<OnnxGraph::Attribute> attributes_of(const operation::Window& window) {
  return {{"kernel_shape", Shape{window.size.height, window.size.width}},
          {"strides", Shape{window.strides.height, window.strides.width}},
          {"pads", Shape{window.top, window.left, window.bottom, window.right}}};
}

constexpr std::array<float, 2> kNotOrChosen{0, 1};

/// Adds one operation after another. Convolutions and pools hand on channels first; what needs
/// Keras's order turns the values back. With permuted rows of dense1 instead, ONNX Runtime 1.32
/// took as long (batches of 1 and 64), and so every Dense has Keras's own kernel.
class OperationWriter {
 public:
  OperationWriter(OnnxGraph& graph, std::string input, std::string prefix, const Sequential& model,
                  const Weights& weights)
      : graph_(graph),
        prefix_(std::move(prefix)),
        model_(model),
        weights_(weights),
        next_(weights.tensors().begin()),
        images_{std::move(input), false} {}

  /// Returns the value of the model's output.
  std::string write() {
    for (const PlacedOperation& each : operations_of(model_)) {
      at_ = &each;
      name_ = prefix_ + name_of(model_.layers[each.layer]);
      std::visit(*this, each.operation);
    }
    return channels_last(values_.back());
  }

  void operator()(const operation::Convolution& convolution) {
    const Shape& shape = next_->shape;
    const std::vector<float> kernel = convolution_kernel(weights_.values(*next_++), shape);
    const Shape turned = convolution.depthwise ? Shape{shape[2], 1, shape[0], shape[1]}
                                               : Shape{shape[3], shape[2], shape[0], shape[1]};
    std::vector<std::string> inputs{channels_first(source()),
                                    graph_.add_tensor(name_ + "/kernel", turned, kernel)};
    if (convolution.bias) inputs.push_back(add_parameter(name_ + "/bias"));
    auto attributes = attributes_of(convolution.window);
    if (convolution.depthwise) attributes.push_back({"group", shape[2]});
    put("Conv", inputs, attributes, true);
  }

  /// Convolves with all kernels, and multiplies the results by the gate's weights.
  void operator()(const operation::CondConvolution& operation) {
    const std::string images = channels_first(source());
    const std::string means = node("means", "GlobalAveragePool", {images});
    const std::string flat = node("flat", "Flatten", {means}, {{"axis", 1}});
    const std::string gate_kernel = add_parameter(name_ + "/gate_kernel");
    const std::string logits =
        node("logits", "Gemm", {flat, gate_kernel, add_parameter(name_ + "/gate_bias")});
    const std::string weights = node("weights", "Softmax", {logits}, {{"axis", -1}});

    const Shape& shape = next_->shape;
    const Shape one(shape.begin() + 1, shape.end());
    const auto size = static_cast<std::size_t>(element_count(one));
    const std::span<const float> values = next_values();
    std::vector<float> kernels;
    for (std::size_t first = 0; first < values.size(); first += size) {
      const std::vector<float> kernel = convolution_kernel(values.subspan(first, size), one);
      kernels.insert(kernels.end(), kernel.begin(), kernel.end());
    }
    const std::string kernel = graph_.add_tensor(
        name_ + "/kernel", {operation.kernels * one[3], one[2], one[0], one[1]}, kernels);
    const std::string all =
        node("all", "Conv", {images, kernel}, attributes_of(operation.convolution.window));

    const Shape result{at_->output[2], at_->output[0], at_->output[1]};
    const std::string rows =
        graph_.reshape(name_ + "/rows", all, {operation.kernels, element_count(result)});
    const std::string row = graph_.reshape(name_ + "/row", weights, {1, operation.kernels});
    std::string mixed =
        graph_.reshape(name_ + "/mixed", node("sum", "MatMul", {row, rows}), result);
    if (operation.convolution.bias) {
      const Shape bias{next_->shape[0], 1, 1};
      mixed =
          node("biased", "Add", {mixed, graph_.add_tensor(name_ + "/bias", bias, next_values())});
    }
    values_.push_back({mixed, true});
  }

  void operator()(const operation::InnerProduct& product) {
    std::vector<std::string> inputs{source().name, add_parameter(name_ + "/kernel")};
    if (product.bias) inputs.push_back(add_parameter(name_ + "/bias"));
    put("Gemm", inputs);
  }

  void operator()(const operation::Pooling& pooling) {
    const bool max = pooling.kind == operation::Pooling::Kind::max;
    put(max ? "MaxPool" : "AveragePool", {channels_first(source())}, attributes_of(pooling.window),
        true);
  }

  void operator()(const operation::BatchNormalization& normalization) {
    const auto channels = static_cast<std::size_t>(at_->input.back());
    const bool images = at_->input.size() == 3;
    const auto constant = [&](const char* name, float value) {
      return graph_.add_tensor(name_ + name, {at_->input.back()},
                               std::vector<float>(channels, value));
    };
    std::vector<std::string> inputs{images ? channels_first(source()) : source().name};
    inputs.push_back(normalization.scale ? add_parameter(name_ + "/gamma") : constant("/gamma", 1));
    inputs.push_back(normalization.center ? add_parameter(name_ + "/beta") : constant("/beta", 0));
    inputs.push_back(add_parameter(name_ + "/moving_mean"));
    inputs.push_back(add_parameter(name_ + "/moving_variance"));
    put("BatchNormalization", inputs, {{"epsilon", static_cast<float>(normalization.epsilon)}},
        images);
  }

  void operator()(const operation::Pad& pad) {
    const std::string pads = graph_.add_tensor(
        name_ + "/pads",
        std::vector<std::int64_t>{0, 0, pad.top, pad.left, 0, 0, pad.bottom, pad.right});
    put("Pad", {channels_first(source()), pads}, {}, true);
  }

  void operator()(const operation::Scale& scale) {
    const Shape channels{static_cast<std::int64_t>(scale.scale.size())};
    const std::string by = graph_.add_tensor(name_ + "/scale", channels, scale.scale);
    const std::string offset = graph_.add_tensor(name_ + "/offset", channels, scale.offset);
    put("Add", {graph_.add_node(name_ + "/scaled", "Mul", {channels_last(source()), by}), offset});
  }

  void operator()(const operation::Dropout&) { values_.push_back(source()); }

  void operator()(const operation::Flatten&) {
    put("Flatten", {channels_last(source())}, {{"axis", 1}});
  }

  void operator()(const operation::Reshape& reshape) {
    values_.push_back({graph_.reshape(name_, channels_last(source()), reshape.target), false});
  }

  void operator()(const operation::Activate& activate) {
    const Value& value = source();
    if (activate.function == Activation::linear) return values_.push_back(value);
    values_.push_back(
        {add_activation(graph_, name_ + "/" + word_of(activate.function), value.name, activate),
         value.channels_first});
  }

  void operator()(const operation::Add&) { put_merged("Add"); }
  void operator()(const operation::Multiply&) { put_merged("Mul"); }
  void operator()(const operation::Concatenate&) {
    std::vector<std::string> inputs;
    for (const int source : at_->sources) inputs.push_back(channels_last(value(source)));
    put("Concat", inputs, {{"axis", -1}});
  }
  /// Computes all experts, as the dense form does: a graph cannot choose by image.
  void operator()(const operation::MixtureOfExperts& mixture) {
    const std::string images = channels_last(source());
    const std::string gate = weights_of_experts(mixture, value(at_->sources[1]).name);
    const Shape one(at_->output.size(), 1);
    std::string sum;
    for (std::size_t e = 0; e < mixture.experts.size(); ++e) {
      const Sequential& expert = mixture.experts[e];
      const std::string name = name_ + "/" + expert.name;
      const std::string output = add_layers(graph_, images, name + "/", expert, take(expert));
      const std::string number =
          graph_.add_tensor(name + "/number", {static_cast<std::int64_t>(e)});
      const std::string weight =
          graph_.add_node(name + "/column", "Gather", {gate, number}, {{"axis", 1}});
      const std::string weighted = graph_.add_node(
          name + "/weighted", "Mul", {output, graph_.reshape(name + "/weight", weight, one)});
      sum = e == 0 ? weighted : graph_.add_node(name + "/sum", "Add", {sum, weighted});
    }
    values_.push_back({sum, false});
  }
  /// Computes all experts, and chooses.
  void operator()(const operation::Cascade& cascade) {
    const std::string images = channels_last(source());
    const std::string first = value(at_->sources[1]).name;
    const std::string threshold =
        graph_.add_scalar(name_ + "/threshold", threshold_for(next_values(), cascade.share));
    const std::string half = graph_.add_scalar(name_ + "/half", 0.5F);
    const std::string probabilities = node("probabilities", "Softmax", {first}, {{"axis", -1}});
    const std::string largest =
        node("largest", "ReduceMax", {probabilities}, {{"axes", Shape{1}}, {"keepdims", 1}});
    const std::string unsure = node("unsure", "Less", {largest, threshold});
    const std::string answer = node("answer", "ArgMax", {first}, {{"axis", 1}, {"keepdims", 1}});
    std::string result = first;
    for (std::size_t e = 0; e < cascade.experts.size(); ++e) {
      const Sequential& expert = cascade.experts[e];
      const std::string name = name_ + "/" + expert.name;
      const std::string output = add_layers(graph_, images, name + "/", expert, take(expert));
      std::string its = unsure;
      if (!cascade.expert_of_class.empty()) {
        std::vector<float> of_class;
        for (const int number : cascade.expert_of_class) {
          of_class.push_back(number == static_cast<int>(e) ? 1.F : 0.F);
        }
        const std::string table = graph_.add_tensor(
            name + "/of_class", {static_cast<std::int64_t>(of_class.size())}, of_class);
        const std::string weight = graph_.add_node(name + "/weight", "Gather", {table, answer});
        const std::string is_its = graph_.add_node(name + "/is_its", "Greater", {weight, half});
        its = graph_.add_node(name + "/its", "And", {unsure, is_its});
      }
      const std::string sum = graph_.add_node(name + "/sum", "Add", {first, output});
      const std::string mean = graph_.add_node(name + "/mean", "Mul", {sum, half});
      result = graph_.add_node(name + "/chosen", "Where", {its, mean, result});
    }
    values_.push_back({result, false});
  }

 private:
  struct Value {
    std::string name;
    bool channels_first;
  };

  const Value& value(int operation) const {
    return operation == kImages ? images_ : values_[static_cast<std::size_t>(operation)];
  }
  const Value& source() const { return value(at_->sources[0]); }

  std::string channels_last(const Value& value) {
    return value.channels_first ? graph_.channels_last(value.name) : value.name;
  }
  std::string channels_first(const Value& value) {
    return value.channels_first ? value.name : graph_.channels_first(value.name);
  }

  void put(const char* op, const std::vector<std::string>& inputs,
           const std::vector<OnnxGraph::Attribute>& attributes = {}, bool channels_first = false) {
    values_.push_back({graph_.add_node(name_, op, inputs, attributes), channels_first});
  }

  /// Value by value, two at a time, in the order of the first source.
  void put_merged(const char* op) {
    const Value& first = source();
    std::string merged = first.name;
    for (std::size_t i = 1; i < at_->sources.size(); ++i) {
      const Value& next = value(at_->sources[i]);
      const std::string turned = first.channels_first ? channels_first(next) : channels_last(next);
      merged = graph_.add_node(name_, op, {merged, turned});
    }
    values_.push_back({merged, first.channels_first});
  }

  /// Adds a node of the layer at hand.
  std::string node(const std::string& what, const char* op, const std::vector<std::string>& inputs,
                   const std::vector<OnnxGraph::Attribute>& attributes = {}) {
    return graph_.add_node(name_ + "/" + what, op, inputs, attributes);
  }

  /// The weights of the experts, (batch, experts): 0 for those that are not chosen.
  std::string weights_of_experts(const operation::MixtureOfExperts& mixture,
                                 const std::string& logits) {
    constexpr float kFar = 1e30F;  // below every logit
    const auto experts = static_cast<std::int64_t>(mixture.experts.size());
    const std::string depth = graph_.add_scalar(name_ + "/experts", experts);
    const std::string values = graph_.add_tensor(name_ + "/not_or_chosen", {2}, kNotOrChosen);
    std::string left = logits;
    if (mixture.selection_bias) {
      left = node("scores", "Add", {logits, add_parameter(name_ + "/" + kSelectionBias)});
    }
    std::string chosen;
    for (int k = 0; k < mixture.top_k; ++k) {  // of equal ones the first
      const std::string best = node("best", "ArgMax", {left}, {{"axis", 1}, {"keepdims", 0}});
      const std::string it = node("is_best", "OneHot", {best, depth, values});
      chosen = k == 0 ? it : node("chosen", "Add", {chosen, it});
      if (k + 1 == mixture.top_k) break;
      const std::string far = graph_.add_scalar(name_ + "/far", kFar);
      left = node("left", "Sub", {left, node("taken", "Mul", {it, far})});
    }
    std::string divided = logits;
    if (mixture.temperature != 1) {
      const std::string temperature =
          graph_.add_scalar(name_ + "/temperature", static_cast<float>(mixture.temperature));
      divided = node("divided", "Div", {logits, temperature});
    }
    if (mixture.normalize_weights && mixture.selection_bias) {
      // The probabilities of experts that a bias chose may all be 0.
      const std::string one = graph_.add_scalar(name_ + "/one", 1.F);
      const std::string far = graph_.add_scalar(name_ + "/far_away", kFar);
      const std::string away = node("away", "Mul", {node("others", "Sub", {chosen, one}), far});
      return node("weights", "Softmax", {node("kept", "Add", {divided, away})}, {{"axis", -1}});
    }
    const std::string probabilities = node("probabilities", "Softmax", {divided}, {{"axis", -1}});
    const std::string weights = node("weights", "Mul", {probabilities, chosen});
    if (!mixture.normalize_weights) return weights;
    const std::string axes = graph_.add_tensor(name_ + "/axes", std::vector<std::int64_t>{1});
    return node("normalized", "Div",
                {weights, node("sum", "ReduceSum", {weights, axes}, {{"keepdims", 1}})});
  }

  /// Takes the next tensors, which are an expert's.
  Weights take(const Sequential& expert) {
    Weights weights(expert);
    for (const Weights::Tensor& tensor : weights.tensors()) {
      std::ranges::copy(weights_.values(*next_++), weights.values(tensor).begin());
    }
    return weights;
  }

  std::span<const float> next_values() { return weights_.values(*next_++); }
  std::string add_parameter(const std::string& name) {
    const Shape& shape = next_->shape;
    return graph_.add_tensor(name, shape, next_values());
  }

  OnnxGraph& graph_;
  std::string prefix_;
  const Sequential& model_;
  const Weights& weights_;
  std::vector<Weights::Tensor>::const_iterator next_;
  Value images_;
  std::vector<Value> values_;  ///< by operation
  const PlacedOperation* at_ = nullptr;
  std::string name_;  ///< of its layer
};

}  // namespace

std::string add_layers(OnnxGraph& graph, const std::string& input, const std::string& prefix,
                       const Sequential& model, const Weights& weights) {
  return OperationWriter(graph, input, prefix, model, weights).write();
}

}  // namespace sluice
