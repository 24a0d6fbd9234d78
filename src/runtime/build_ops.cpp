#include "runtime/build_ops.h"

#include "graph/layer_types.h"
#include "ops/conv2d.h"
#include "ops/dense.h"
#include "ops/dropout.h"
#include "ops/flatten.h"
#include "ops/max_pooling2d.h"
#include "ops/softmax.h"
#include "ops/winograd_conv2d.h"

namespace sluice {

namespace {

/// An operation and the layer, by its place in the model, that it is a part of.
struct Placed {
  std::size_t layer;
  Operation operation;
};

std::vector<Placed> operations_of(const Sequential& model) {
  std::vector<Placed> all;
  const std::vector<LayerInfo> layers = describe_layers(model);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    for (const Operation& operation : layers[i].operations) all.push_back({i, operation});
  }
  return all;
}

/// Makes one op after another. Some ops do the work of several operations.
class Builder {
 public:
  Builder(ops::Plan& plan, const Weights& weights, std::span<float> gradients,
          const dnnl::memory& input)
      : plan_(plan),
        weights_(weights),
        gradients_(gradients),
        next_tensor_(weights.tensors().begin()),
        current_(input) {}

  void build(const std::vector<Placed>& operations) {
    todo_ = operations;
    while (!todo_.empty()) {
      layer_ = todo_.front().layer;
      const Operation& operation = todo_.front().operation;
      todo_ = todo_.subspan(1);
      std::visit(*this, operation);
    }
  }

  void operator()(const operation::Convolution& convolution) {
    const ops::Parameter kernel = next_parameter();
    const ops::Parameter bias = next_parameter();
    const ops::Conv2DShape shape{convolution.filters, convolution.kernel_size, take_relu()};
    if (!plan_.winograd || !ops::WinogradConv2D::suits(current_, shape)) {
      return add<ops::Conv2D>(shape, kernel, bias);
    }
    const auto* pool = next<operation::MaxPooling>();
    const bool pooled = pool != nullptr && ops::WinogradConv2D::suits_pool(current_, pool->size);
    if (pooled) todo_ = todo_.subspan(1);
    add<ops::WinogradConv2D>(shape, pooled, kernel, bias);
  }
  void operator()(const operation::InnerProduct& product) {
    const ops::Parameter kernel = next_parameter();
    const ops::Parameter bias = next_parameter();
    add<ops::Dense>(product.units, take_relu(), kernel, bias);
  }
  void operator()(const operation::MaxPooling& pool) { add<ops::MaxPooling2D>(pool.size); }
  void operator()(const operation::Dropout& dropout) {
    add<ops::Dropout>(dropout.rate, dropouts_++);
  }
  void operator()(const operation::Flatten&) { add<ops::Flatten>(); }
  void operator()(const operation::Reshape&) {}  // rows are plain: only the summary's shape changes
  void operator()(const operation::Activate& activate) {
    switch (activate.function) {
      case Activation::linear:
        return;
      case Activation::softmax:
        return add<ops::Softmax>();
      case Activation::relu:
        break;
    }
    throw machine_error("compile", "an activation of its own cannot be {}",
                        word_of(activate.function));
  }

  std::vector<LayerOp> take() { return std::move(ops_); }

 private:
  template <class Op, class... Arguments>
  void add(const Arguments&... arguments) {
    ops_.push_back({layer_, std::make_unique<Op>(plan_, current_, arguments...)});
    current_ = ops_.back().op->dst();
  }

  /// The operation that comes next, if it is such a one.
  template <class Wanted>
  const Wanted* next() const {
    return todo_.empty() ? nullptr : std::get_if<Wanted>(&todo_.front().operation);
  }

  /// Whether a ReLU comes next, which then is done: it is part of the operation before it.
  bool take_relu() {
    const auto* activate = next<operation::Activate>();
    if (activate == nullptr || activate->function == Activation::softmax) return false;
    todo_ = todo_.subspan(1);
    return activate->function == Activation::relu;
  }

  ops::Parameter next_parameter() {
    const Weights::Tensor& tensor = *next_tensor_++;
    return {weights_.values(tensor).data(),
            gradients_.empty() ? nullptr : gradients_.data() + tensor.offset};
  }

  ops::Plan& plan_;
  const Weights& weights_;
  std::span<float> gradients_;
  std::vector<Weights::Tensor>::const_iterator next_tensor_;
  dnnl::memory current_;
  std::span<const Placed> todo_;
  std::size_t layer_ = 0;
  std::vector<LayerOp> ops_;
  std::uint32_t dropouts_ = 0;
};

}  // namespace

std::vector<LayerOp> build_ops(ops::Plan& plan, const Sequential& model, const Weights& weights,
                               std::span<float> gradients, int batch, float* input) {
  const Shape& in = model.input;
  const auto layout = in.size() == 3
                          ? onednn::layout({batch, in[2], in[0], in[1]}, onednn::Tag::nhwc)
                          : onednn::layout({batch, element_count(in)}, onednn::Tag::nc);
  Builder builder(plan, weights, gradients, onednn::at(plan.context, layout, input));
  builder.build(operations_of(model));
  return builder.take();
}

}  // namespace sluice
