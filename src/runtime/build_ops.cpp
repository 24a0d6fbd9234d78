#include "runtime/build_ops.h"

#include "ops/conv2d.h"
#include "ops/dense.h"
#include "ops/dropout.h"
#include "ops/flatten.h"
#include "ops/max_pooling2d.h"
#include "ops/softmax.h"
#include "ops/winograd_conv2d.h"

namespace sluice {

namespace {

class Builder {
 public:
  Builder(ops::Plan& plan, const Weights& weights, std::span<float> gradients,
          const dnnl::memory& input)
      : plan_(plan),
        weights_(weights),
        gradients_(gradients),
        next_(weights.tensors().begin()),
        current_(input) {}

  void build(const std::vector<Layer>& layers) {
    for (layer_ = 0; layer_ < layers.size(); ++layer_) {
      next_pool_ =
          layer_ + 1 < layers.size() ? std::get_if<MaxPooling2D>(&layers[layer_ + 1]) : nullptr;
      std::visit(*this, layers[layer_]);
    }
  }

  void operator()(const Conv2D& layer) {
    const ops::Parameter kernel = next_parameter();
    const ops::Parameter bias = next_parameter();
    const ops::Conv2DShape shape{layer.filters, layer.kernel_size,
                                 layer.activation == Activation::relu};
    if (plan_.winograd && ops::WinogradConv2D::suits(current_, shape)) {
      const bool pooled = layer.activation != Activation::softmax && next_pool_ != nullptr &&
                          ops::WinogradConv2D::suits_pool(current_, next_pool_->pool_size);
      add<ops::WinogradConv2D>(shape, pooled, kernel, bias);
      if (pooled) ++layer_;  // the pooling is done
    } else {
      add<ops::Conv2D>(shape, kernel, bias);
    }
    if (layer.activation == Activation::softmax) add<ops::Softmax>();
  }
  void operator()(const MaxPooling2D& layer) { add<ops::MaxPooling2D>(layer.pool_size); }
  void operator()(const Dropout& layer) { add<ops::Dropout>(layer.rate, dropouts_++); }
  void operator()(const Flatten&) { add<ops::Flatten>(); }
  void operator()(const Dense& layer) {
    const ops::Parameter kernel = next_parameter();
    const ops::Parameter bias = next_parameter();
    add<ops::Dense>(layer.units, layer.activation == Activation::relu, kernel, bias);
    if (layer.activation == Activation::softmax) add<ops::Softmax>();
  }
  void operator()(const Reshape&) {}  // rows are plain: only the summary's shape changes

  std::vector<LayerOp> take() { return std::move(ops_); }

 private:
  template <class Op, class... Arguments>
  void add(const Arguments&... arguments) {
    ops_.push_back({layer_, std::make_unique<Op>(plan_, current_, arguments...)});
    current_ = ops_.back().op->dst();
  }

  ops::Parameter next_parameter() {
    const Weights::Tensor& tensor = *next_++;
    return {weights_.values(tensor).data(),
            gradients_.empty() ? nullptr : gradients_.data() + tensor.offset};
  }

  ops::Plan& plan_;
  const Weights& weights_;
  std::span<float> gradients_;
  std::vector<Weights::Tensor>::const_iterator next_;
  dnnl::memory current_;
  std::size_t layer_ = 0;
  const MaxPooling2D* next_pool_ = nullptr;  ///< if the layer after this one is such
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
  builder.build(model.layers);
  return builder.take();
}

}  // namespace sluice
