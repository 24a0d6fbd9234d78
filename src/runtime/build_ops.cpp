#include "runtime/build_ops.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "graph/operations.h"
#include "graph/weights.h"
#include "graph/wiring.h"
#include "ops/batch_normalization.h"
#include "ops/cond_conv2d.h"
#include "ops/conv2d.h"
#include "ops/copy.h"
#include "ops/dense.h"
#include "ops/dropout.h"
#include "ops/elementwise.h"
#include "ops/fold_normalization.h"
#include "ops/max_pooling2d.h"
#include "ops/merge.h"
#include "ops/pad.h"
#include "ops/pooling2d.h"
#include "ops/reshape.h"
#include "ops/scale.h"
#include "ops/softmax.h"
#include "ops/winograd_conv2d.h"
#include "runtime/cascaded_experts.h"
#include "runtime/routed_experts.h"

namespace sluice {

namespace {

/// Makes one op after another. Some ops do the work of several operations.
class Builder {
 public:
  Builder(ops::Plan& plan, const Sequential& model, const PlacedWeights& weights,
          const dnnl::memory& images, bool plain_output, ExpertsByLayer& experts)
      : plan_(plan),
        operations_(operations_of(model)),
        results_(operations_.size()),
        weights_(weights),
        next_tensor_(weights.tensors.begin()),
        images_{images, kImages},
        plain_output_(plain_output),
        experts_(experts) {}

  std::vector<LayerOp> build() {
    for (at_ = 0; at_ < operations_.size(); ++at_) {
      std::visit(*this, operations_[at_].operation);
    }
    const Value& output = results_.back();
    if (plain_output_ && onednn::dims_of(output.memory).size() == 4) {
      at_ = operations_.size() - 1;
      make<ops::Reshape>(at_, {output.op}, output.memory,
                         Shape{element_count(operations_[at_].output)});
    }
    return std::move(ops_);
  }

  void operator()(const operation::Convolution& convolution) {
    const std::size_t first = at_;
    const auto [kernel, bias] = kernel_and_bias(convolution.filters, convolution.bias);
    const dnnl::memory& src = source_of(first);
    if (!plan_.winograd || !ops::WinogradConv2D::suits(src, {convolution})) {
      const ops::Conv2DShape shape{convolution, plan_.training ? take_relu() : take_any_relu()};
      return add_for<ops::Conv2D>(first, shape, kernel, bias);
    }
    const ops::Conv2DShape shape{convolution, take_relu()};
    const auto* pool = next<operation::Pooling>();
    const bool pooled = pool != nullptr && ops::WinogradConv2D::suits_pool(*pool);
    if (pooled) ++at_;
    add_for<ops::WinogradConv2D>(first, shape, pooled, kernel, bias);
  }
  void operator()(const operation::CondConvolution& operation) {
    const std::size_t first = at_;
    ops::CondConv2DParameters parameters{next_parameter(), next_parameter(), {}, {}};
    std::tie(parameters.kernel, parameters.bias) =
        kernel_and_bias(operation.convolution.filters, operation.convolution.bias);
    add_for<ops::CondConv2D>(first, operation, parameters);
  }
  void operator()(const operation::InnerProduct& product) {
    const std::size_t first = at_;
    const auto [kernel, bias] = kernel_and_bias(product.units, product.bias);
    add_for<ops::Dense>(first, product.units, take_relu(), kernel, bias);
  }
  void operator()(const operation::Pooling& pooling) {
    const operation::Window& window = pooling.window;
    const bool tiles = window == operation::Window{window.size.height, window.size.height};
    if (tiles && pooling.kind == operation::Pooling::Kind::max) {
      return add<ops::MaxPooling2D>(window.size.height);
    }
    add<ops::Pooling2D>(pooling);
  }
  void operator()(const operation::BatchNormalization& normalization) {
    if (folded_ == at_) return finish(at_, value(operations_[at_].sources[0]));
    const std::size_t first = at_;
    const ops::BatchNormalizationParameters parameters = next_parameters(normalization);
    const bool gelu = take(Activation::gelu);
    const ops::FusedRelu relu = gelu ? ops::FusedRelu() : take_any_relu();
    add_for<ops::BatchNormalization>(first, normalization, relu, gelu, parameters);
  }
  void operator()(const operation::Pad& pad) { add<ops::Pad>(pad); }
  void operator()(const operation::Scale& scale) { add<ops::Scale>(scale.scale, scale.offset); }
  void operator()(const operation::Dropout& dropout) {
    const Value& source = value(operations_[at_].sources[0]);
    // It works in place, where nobody else reads the values as they are before it.
    const bool in_place =
        !source.shared && !(source.op != kImages && op(source).reads_its_result());
    if (!plan_.training || in_place) return add<ops::Dropout>(dropout.rate, dropouts_++);
    const Value copy = make<ops::Copy>(at_, {source.op}, source.memory);
    finish(at_, make<ops::Dropout>(at_, {copy.op}, copy.memory, dropout.rate, dropouts_++));
  }
  void operator()(const operation::Flatten&) {
    const auto dims = onednn::dims_of(source_of(at_));
    add<ops::Reshape>(Shape{element_count(Shape(dims.begin() + 1, dims.end()))});
  }
  void operator()(const operation::Reshape& reshape) {
    // Rows stay plain: only images need other dimensions.
    if (reshape.target.size() == 3) return add<ops::Reshape>(reshape.target);
    const Shape rows{element_count(reshape.target)};
    if (onednn::dims_of(source_of(at_)).size() == 4) return add<ops::Reshape>(rows);
    finish(at_, value(operations_[at_].sources[0]));
  }
  void operator()(const operation::Activate& activate) {
    if (activate.function == Activation::linear)
      return finish(at_, value(operations_[at_].sources[0]));
    if (activate.function == Activation::softmax) return add<ops::Softmax>();
    add<ops::Elementwise>(activate);
  }
  void operator()(const operation::Add&) {
    const std::size_t first = at_;
    merge<ops::Add>(first, take_any_relu());
  }
  void operator()(const operation::Multiply&) { merge<ops::Multiply>(at_); }
  void operator()(const operation::Concatenate&) { merge<ops::Concatenate>(at_); }
  void operator()(const operation::MixtureOfExperts& mixture) {
    float* selection_bias = mixture.selection_bias ? next_state() : nullptr;
    const std::uint32_t number = mixture.noise > 0 ? noisy_gates_++ : 0;
    const double each = double(mixture.top_k) / double(mixture.experts.size());
    merge<RoutedExperts>(at_, mixture, selection_bias, number,
                         std::ref(take_experts(mixture.experts, each)));
  }
  void operator()(const operation::Cascade& cascade) {
    const float* thresholds = next_state();
    const double share = plan_.training ? cascade.training_share : cascade.share;
    Experts& experts = take_experts(cascade.experts, share / double(cascade.experts.size()));
    merge<CascadedExperts>(at_, cascade, thresholds, std::ref(experts));
  }

 private:
  struct Value {
    dnnl::memory memory;
    int op = kImages;     ///< that made it
    bool shared = false;  ///< more than one operation reads the memory
  };

  const Value& value(int operation) const {
    return operation == kImages ? images_ : results_[static_cast<std::size_t>(operation)];
  }
  const dnnl::memory& source_of(std::size_t operation) const {
    return value(operations_[operation].sources[0]).memory;
  }
  const ops::Op& op(const Value& value) const {
    return *ops_[static_cast<std::size_t>(value.op)].op;
  }

  /// Adds an op for the operations from `first` to the one at hand, made of the source of `first`.
  template <class Op, class... Arguments>
  void add_for(std::size_t first, const Arguments&... arguments) {
    const Value& source = value(operations_[first].sources[0]);
    finish(first, make<Op>(first, {source.op}, source.memory, arguments...));
  }
  template <class Op, class... Arguments>
  void add(const Arguments&... arguments) {
    add_for<Op>(at_, arguments...);
  }

  template <class Op, class... Arguments>
  void merge(std::size_t first, const Arguments&... arguments) {
    std::vector<dnnl::memory> memories;
    std::vector<int> sources;
    for (const int source : operations_[first].sources) {
      memories.push_back(value(source).memory);
      sources.push_back(value(source).op);
    }
    finish(first, make<Op>(first, sources, memories, arguments...));
  }

  /// Adds an op of that operation's layer.
  template <class Op, class Source, class... Arguments>
  Value make(std::size_t operation, const std::vector<int>& sources, const Source& source,
             const Arguments&... arguments) {
    ops_.push_back(
        {operations_[operation].layer, sources, std::make_unique<Op>(plan_, source, arguments...)});
    return {ops_.back().op->dst(), static_cast<int>(ops_.size()) - 1};
  }

  /// The result of the operations from `first` to the one at hand. The network's is not released.
  void finish(std::size_t first, const Value& result) {
    int& readers = readers_[onednn::data(result.memory)];
    readers += at_ + 1 < operations_.size() ? operations_[at_].consumers : 1;
    release_sources(first);
    results_[at_] = result;
    results_[at_].shared = readers > 1;
  }

  /// Memory that nobody will read again may be used again.
  void release_sources(std::size_t operation) {
    for (const int source : operations_[operation].sources) {
      const dnnl::memory& memory = value(source).memory;
      if (source != kImages && --readers_[onednn::data(memory)] == 0) plan_.release(memory);
    }
  }

  /// The operation after that one, if it is such a one and alone reads the result of that one.
  template <class Wanted>
  const Wanted* next_of(std::size_t operation) const {
    if (operation + 1 == operations_.size() || operations_[operation].consumers != 1) {
      return nullptr;
    }
    const PlacedOperation& next = operations_[operation + 1];
    const bool follows = next.sources == std::vector{static_cast<int>(operation)};
    return follows ? std::get_if<Wanted>(&next.operation) : nullptr;
  }
  template <class Wanted>
  const Wanted* next() const {
    return next_of<Wanted>(at_);
  }

  /// Whether an op, or one before it, has parameters to learn.
  bool learns(int op) const {
    if (op == kImages) return false;
    const LayerOp& one = ops_[static_cast<std::size_t>(op)];
    return one.op->has_parameters() ||
           std::ranges::any_of(one.sources, [&](int source) { return learns(source); });
  }

  /// Takes the parameters of the experts of the layer at hand, and makes these for the largest
  /// batch, which comes first. `share` is that of the images that an expert usually takes.
  Experts& take_experts(const std::vector<Sequential>& networks, double share) {
    PlacedWeights weights{{}, weights_.values, weights_.gradients};
    for (const Sequential& expert : networks) {
      const auto end = next_tensor_ + static_cast<std::ptrdiff_t>(tensors_of(expert).size());
      weights.tensors.insert(weights.tensors.end(), next_tensor_, end);
      next_tensor_ = end;
    }
    std::unique_ptr<Experts>& experts = experts_[operations_[at_].layer];
    if (experts == nullptr) {
      const dnnl::memory& source = source_of(at_);
      const double batch = double(onednn::dims_of(source)[0]);
      const ExpertsOptions options{plan_.training,
                                   plan_.training && learns(value(operations_[at_].sources[0]).op),
                                   plan_.winograd ? Compute::fast : Compute::exact,
                                   static_cast<int>(std::ceil(batch * share - 1e-6))};
      experts = std::make_unique<Experts>(networks, weights, options, source);
    }
    return *experts;
  }

  /// Takes the parameters of a convolution or an inner product. At inference they include the batch
  /// normalisation after it, also behind a max pooling where it only adds and multiplies by
  /// positive numbers, which leaves the largest value the largest.
  std::pair<ops::Parameter, ops::Parameter> kernel_and_bias(int filters, bool has_bias) {
    const Weights::Tensor& tensor = *next_tensor_;
    const auto [kernel, bias] = next_kernel_and_bias(has_bias);
    if (plan_.training) return {kernel, bias};
    const std::size_t first = at_;
    take(Activation::linear);
    const auto* normalization = next<operation::BatchNormalization>();
    if (normalization != nullptr) {
      ++at_;
    } else if (const auto* pool = next<operation::Pooling>();
               pool != nullptr && pool->kind == operation::Pooling::Kind::max) {
      normalization = next_of<operation::BatchNormalization>(at_ + 1);
      if (normalization != nullptr && normalization->scale) normalization = nullptr;
      if (normalization != nullptr) folded_ = at_ + 2;
    }
    if (normalization == nullptr) return {kernel, bias};
    const operation::BatchNormalization& of = *normalization;
    auto folded = std::make_unique<ops::FoldNormalization>(
        plan_, source_of(first), kernel, tensor.size, bias, static_cast<std::size_t>(filters), of,
        next_parameters(of));
    const auto parameters = std::pair(folded->kernel(), folded->bias());
    ops_.push_back(
        {operations_[first].layer, {value(operations_[first].sources[0]).op}, std::move(folded)});
    return parameters;
  }

  ops::BatchNormalizationParameters next_parameters(const operation::BatchNormalization& of) {
    ops::BatchNormalizationParameters parameters{};
    if (of.scale) parameters.gamma = next_parameter();
    if (of.center) parameters.beta = next_parameter();
    parameters.moving_mean = next_state();
    parameters.moving_variance = next_state();
    return parameters;
  }

  /// Whether a ReLU comes next, which then is done: it is part of the operation before it.
  bool take_relu() {
    if (take(Activation::relu)) return true;
    take(Activation::linear);
    return false;
  }
  /// The same, and a ReLU6.
  ops::FusedRelu take_any_relu() {
    if (take(Activation::relu6)) return {true, 6};
    return take_relu();
  }
  /// Whether that activation comes next, which then is done.
  bool take(Activation function) {
    const auto* activate = next<operation::Activate>();
    const bool is_next = activate != nullptr && activate->function == function;
    if (is_next) ++at_;
    return is_next;
  }

  ops::Parameter next_parameter() {
    const Weights::Tensor& tensor = *next_tensor_++;
    const bool wanted = tensor.trained && !weights_.gradients.empty();
    return {weights_.values.data() + tensor.offset,
            wanted ? weights_.gradients.data() + tensor.offset : nullptr};
  }

  /// If one of the two is frozen, its gradient is computed with that of the other, and nobody reads
  /// it.
  std::pair<ops::Parameter, ops::Parameter> next_kernel_and_bias(bool has_bias) {
    const auto tensor = next_tensor_;
    ops::Parameter kernel = next_parameter();
    if (!has_bias) return {kernel, {}};
    ops::Parameter bias = next_parameter();
    const auto unread = [&](std::size_t floats) {
      return plan_.workspace.take(floats * sizeof(float));
    };
    if (kernel.gradients == nullptr && bias.gradients != nullptr) {
      kernel.gradients = unread(tensor->size);
    } else if (kernel.gradients != nullptr && bias.gradients == nullptr) {
      bias.gradients = unread((tensor + 1)->size);
    }
    return {kernel, bias};
  }

  /// Training writes the state of the weights that it was given to train.
  float* next_state() {
    return const_cast<float*>(weights_.values.data()) + next_tensor_++->offset;
  }

  ops::Plan& plan_;
  std::vector<PlacedOperation> operations_;
  std::size_t at_ = 0;                   ///< the operation at hand
  std::vector<Value> results_;           ///< by operation
  std::map<const float*, int> readers_;  ///< of memory: operations that will still read it
  const PlacedWeights& weights_;
  std::vector<Weights::Tensor>::const_iterator next_tensor_;
  Value images_;
  bool plain_output_;
  ExpertsByLayer& experts_;
  std::vector<LayerOp> ops_;
  std::uint32_t dropouts_ = 0;
  std::uint32_t noisy_gates_ = 0;
  std::optional<std::size_t> folded_;  ///< the normalisation that a convolution before it includes
};
}  // namespace

std::vector<LayerOp> build_ops(ops::Plan& plan, const Sequential& model,
                               const PlacedWeights& weights, const dnnl::memory& images,
                               bool plain_output, ExpertsByLayer& experts) {
  return Builder(plan, model, weights, images, plain_output, experts).build();
}

}  // namespace sluice
