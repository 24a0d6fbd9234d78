#include "formats/onnx/layers.h"

#include <cstddef>

#include "graph/layer_types.h"

namespace sluice {
namespace {

/// Keras's kernel (height, width, in, out) as ONNX's (out, in, height, width).
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

/// Adds one layer after another. Convolutions and pools hand on channels first; what needs Keras's
/// order turns the values back. With permuted rows of dense1 instead, ONNX Runtime 1.32 took as
/// long (batches of 1 and 64), and so every Dense has Keras's own kernel.
class LayerWriter {
 public:
  LayerWriter(OnnxGraph& graph, std::string input, std::string prefix, const Weights& weights)
      : graph_(graph),
        prefix_(std::move(prefix)),
        weights_(weights),
        next_(weights.tensors().begin()),
        value_(std::move(input)) {}

  void operator()(const operation::Convolution& convolution) {
    const std::string& name = name_;
    const Shape& shape = next_->shape;
    const std::vector<float> kernel = convolution_kernel(weights_.values(*next_++), shape);
    const std::string kernel_name =
        graph_.add_tensor(name + "/kernel", {shape[3], shape[2], shape[0], shape[1]}, kernel);
    const std::string bias = add_parameter(name + "/bias");
    // 'same' as TensorFlow has it: an even kernel's odd row is below and to the right.
    const std::int64_t before = (convolution.kernel_size - 1) / 2;
    const std::int64_t after = convolution.kernel_size - 1 - before;
    value_ =
        graph_.add_node(name, "Conv", {channels_first(), kernel_name, bias},
                        {{"kernel_shape", Shape{convolution.kernel_size, convolution.kernel_size}},
                         {"pads", Shape{before, before, after, after}}});
  }

  void operator()(const operation::MaxPooling& pool) {
    const Shape size{pool.size, pool.size};
    value_ = graph_.add_node(name_, "MaxPool", {channels_first()},
                             {{"kernel_shape", size}, {"strides", size}});
  }

  void operator()(const operation::Dropout&) {}

  void operator()(const operation::Flatten&) {
    value_ = graph_.add_node(name_, "Flatten", {channels_last()}, {{"axis", 1}});
  }

  void operator()(const operation::InnerProduct&) {
    const std::string kernel = add_parameter(name_ + "/kernel");
    const std::string bias = add_parameter(name_ + "/bias");
    value_ = graph_.add_node(name_, "Gemm", {value_, kernel, bias});
  }

  void operator()(const operation::Reshape& reshape) {
    value_ = graph_.reshape(name_, channels_last(), reshape.target);
  }

  void operator()(const operation::Activate& activate) {
    switch (activate.function) {
      case Activation::linear:
        break;
      case Activation::relu:
        value_ = graph_.add_node(name_ + "/relu", "Relu", {value_});
        break;
      case Activation::softmax:
        value_ = graph_.add_node(name_ + "/softmax", "Softmax", {value_}, {{"axis", 1}});
        break;
    }
  }

  void add(const std::string& name, const std::vector<Operation>& operations) {
    name_ = prefix_ + name;
    for (const Operation& operation : operations) std::visit(*this, operation);
  }

  const std::string& channels_last() {
    if (channels_first_) value_ = graph_.channels_last(value_);
    channels_first_ = false;
    return value_;
  }

 private:
  const std::string& channels_first() {
    if (!channels_first_) value_ = graph_.channels_first(value_);
    channels_first_ = true;
    return value_;
  }

  std::string add_parameter(const std::string& name) {
    const Weights::Tensor& tensor = *next_++;
    return graph_.add_tensor(name, tensor.shape, weights_.values(tensor));
  }

  OnnxGraph& graph_;
  std::string prefix_;
  std::string name_;  ///< of the layer
  const Weights& weights_;
  std::vector<Weights::Tensor>::const_iterator next_;
  std::string value_;
  bool channels_first_ = false;
};

}  // namespace

std::string add_layers(OnnxGraph& graph, const std::string& input, const std::string& prefix,
                       const Sequential& model, const Weights& weights) {
  LayerWriter writer(graph, input, prefix, weights);
  const std::vector<LayerInfo> layers = describe_layers(model);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    writer.add(name_of(model.layers[i]), layers[i].operations);
  }
  return writer.channels_last();
}

}  // namespace sluice
