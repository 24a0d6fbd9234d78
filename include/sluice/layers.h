#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "sluice/shape.h"

#pragma GCC visibility push(default)

namespace sluice {

// A model is a plain description. Names and meanings are those of Keras's layers.

/// keras.activations, with the defaults of Keras 3: leaky_relu has the slope 0.2, elu the alpha 1,
/// gelu is exact, hard_sigmoid is relu6(x + 3) / 6. Softmax is over the last axis.
enum class Activation {
  linear,
  relu,
  softmax,
  sigmoid,
  tanh,
  elu,
  selu,
  gelu,
  silu,
  leaky_relu,
  relu6,
  softplus,
  softsign,
  exponential,
  hard_sigmoid,
  hard_silu,
  mish,
};

/// Initial values of a tensor, as keras.initializers of the same name. Glorot uniform (Glorot and
/// Bengio 2010) has the limit sqrt(6 / (fan_in + fan_out)), he_normal (He et al. 2015) the
/// deviation sqrt(2 / fan_in), cut at two of them; fans of a convolution include its kernel's area.
/// small_normal is he_normal with the deviation 0.1. fan_in is uniform up to 1 / sqrt(fan_in), and
/// identity the same but for the first filters of a convolution, as many as there are channels:
/// each gives a channel as it is. whitening is fan_in until whiten() (sluice/trainer.h), and needs
/// two filters for each value of a patch. centroids is glorot_uniform until set_centroids(), and
/// needs a Dense with a bias.
enum class Initializer {
  zeros,
  ones,
  glorot_uniform,
  he_normal,
  small_normal,
  fan_in,
  identity,
  whitening,
  centroids,
};

/// 'valid' drops a remainder at the right and lower edges. 'same' adds zeros until there are
/// ceil(size / stride) results; an odd row of them is below and to the right, as in TensorFlow.
enum class Padding { valid, same };

/// Height and width; one number stands for both.
struct Size2D {
  Size2D(int both) : height(both), width(both) {}  // NOLINT: 3 is a size
  Size2D(int rows, int columns) : height(rows), width(columns) {}
  bool operator==(const Size2D&) const = default;

  int height;
  int width;
};

/// Kernel {height, width, in, filters}, bias {filters}.
struct Conv2D {
  std::string name;
  int filters;
  Size2D kernel_size = 3;
  Activation activation = Activation::relu;
  Size2D strides = 1;
  Padding padding = Padding::same;
  bool use_bias = true;
  Initializer kernel_initializer = Initializer::glorot_uniform;  ///< model files do not keep it
};

/// A convolution of each channel by itself. Kernel {height, width, channels, 1}, bias {channels}.
struct DepthwiseConv2D {
  std::string name;
  Size2D kernel_size = 3;
  Activation activation = Activation::linear;
  Size2D strides = 1;
  Padding padding = Padding::same;
  bool use_bias = true;
};

/// A convolution whose kernel is mixed for each image (CondConv, Yang et al. 2019, arXiv
/// 1904.04971): the sum of several kernels, each times its weight. The weights of an image are
/// softmax(mean of the input's pixels * gate_kernel + gate_bias). So an image costs one
/// convolution, whatever the number of kernels.
///
/// gate_kernel {in, kernels}, gate_bias {kernels}, kernel {kernels, height, width, in, filters},
/// bias {filters}.
struct CondConv2D {
  std::string name;
  int filters;
  int kernels = 8;
  Size2D kernel_size = 3;
  Activation activation = Activation::linear;
  Size2D strides = 1;
  Padding padding = Padding::same;
  bool use_bias = true;
};

struct MaxPooling2D {
  std::string name;
  Size2D pool_size = 2;
  std::optional<Size2D> strides = {};  ///< none: the pool's size
  Padding padding = Padding::valid;
};

/// Zeros of 'same' padding do not count.
struct AveragePooling2D {
  std::string name;
  Size2D pool_size = 2;
  std::optional<Size2D> strides = {};  ///< none: the pool's size
  Padding padding = Padding::valid;
};

// Of all pixels: {height, width, channels} becomes {channels}.

struct GlobalAveragePooling2D {
  std::string name;
};

struct GlobalMaxPooling2D {
  std::string name;
};

/// Over all axes but the last (Ioffe and Szegedy 2015). In training by the batch's mean and biased
/// variance, and moving = momentum moving + (1 - momentum) batch, as in Keras 3; at inference by
/// the moving ones. Tensors gamma and beta, which are trained, moving_mean and moving_variance.
struct BatchNormalization {
  std::string name;
  double momentum = 0.99;
  double epsilon = 1e-3;
  bool center = true;  ///< there is a beta
  bool scale = true;   ///< there is a gamma
};

/// Zeros around images.
struct ZeroPadding2D {
  std::string name;
  int top = 1;
  int bottom = 1;
  int left = 1;
  int right = 1;
};

/// x * scale + offset
struct Rescaling {
  std::string name;
  double scale = 1;
  double offset = 0;
};

/// (x - mean) / sqrt(variance), each a value for each channel.
struct Normalization {
  std::string name;
  std::vector<double> mean;
  std::vector<double> variance;
};

/// Inverted: in training a value is kept with probability 1 - rate and scaled by 1 / (1 - rate).
struct Dropout {
  std::string name;
  float rate;
};

/// In the order height, width, channels.
struct Flatten {
  std::string name;
};

/// Kernel {in, units}, bias {units}. Softmax is over all units.
struct Dense {
  std::string name;
  int units;
  Activation activation = Activation::linear;
  bool use_bias = true;
  Initializer kernel_initializer = Initializer::glorot_uniform;  ///< model files do not keep it
};

struct Reshape {
  std::string name;
  Shape target;
};

/// An activation by itself.
struct ActivationLayer {
  std::string name;
  Activation activation = Activation::relu;
};

/// x where it is positive, and negative_slope x elsewhere.
struct LeakyReLU {
  std::string name;
  double negative_slope = 0.3;  ///< Keras's activation "leaky_relu" has 0.2
};

/// x where it is positive, and alpha (exp(x) - 1) elsewhere.
struct ELU {
  std::string name;
  double alpha = 1;
};

// Layers that take several inputs: of one shape, or for Concatenate of one height and width.

struct Add {
  std::string name;
};

struct Multiply {
  std::string name;
};

/// Along the last axis, the channels.
struct Concatenate {
  std::string name;
};

struct Sequential;

/// A sparse layer of experts (Shazeer et al. 2017, arXiv 1701.06538; Fedus et al. 2021, arXiv
/// 2101.03961). It takes two inputs: values, and a gate's logits, one for each expert. For each
/// image only the `top_k` experts with the largest logits run, forward and backward (of equal
/// logits the first). The output is the sum of their outputs, each times its weight: the softmax
/// over all logits, or with normalize_weights over those of the chosen experts. A normalised weight
/// of one expert is 1, which has no gradient for the gate.
///
/// Tensors are those of the experts: "<expert>/<layer>/kernel". The batch statistics of an expert
/// are those of its own images; an expert without images changes nothing. With bias_rate there is
/// also "selection_bias" {experts}, before them.
struct MixtureOfExperts {
  std::string name;
  /// Networks with names of their own and outputs of one shape. Their `input` is not read: it is
  /// that of the layer's first input.
  std::vector<Sequential> experts;
  int top_k = 1;
  bool normalize_weights = false;
  /// Adds balance_loss * K * sum(f_i P_i) to the loss of training: f_i is the share of all choices
  /// that chose expert i, P_i the mean of its softmax (Fedus et al., equation 4). K * sum(f_i P_i)
  /// is 1 where all K experts are used equally. Losses that are reported do not have it.
  double balance_loss = 0;
  /// Adds gate_loss * the gate's cross-entropy to the loss of training, where the right expert of
  /// an image is that of its class. 0 for a gate that learns by the output alone.
  double gate_loss = 0;
  std::vector<int> expert_of_class = {};  ///< from 0; needed with gate_loss
  /// Divides the logits before each softmax above, in training and at inference; 1e-6 to 1e6. The
  /// choice stays the same.
  double temperature = 1;
  /// Standard deviation of normal noise that is added to the logits in training, before the choice
  /// and the softmax (Shazeer et al. 2017, equation 4, without the learned scale); in units of
  /// logits, 0 to 1e6. As with Dropout it does not depend on threads or shards.
  double noise = 0;
  /// Balances the experts' work without a loss (Wang et al. 2024, arXiv 2408.15664, algorithm 1):
  /// the experts with the largest sums of logit and selection_bias are chosen, while their weights
  /// stay those above. A batch of training moves the bias of an expert that was chosen more often
  /// than the mean by bias_rate down, and of one chosen less often up; in units of logits, 0 to
  /// 1e6. Freezing the layer or its selection_bias keeps the biases. 0 for a layer without them.
  double bias_rate = 0;
};

/// A cascade (Wang et al. 2020, arXiv 2012.01988): a small network answers every image, and experts
/// those that it is unsure of. It takes two inputs: values for the experts, and the logits of the
/// first answer, one for each class. At inference the images whose largest softmax of these logits
/// is below a threshold go on, each to the expert of the class of its largest logit; their output
/// is the mean of the expert's logits and the first ones, that of other images the first ones.
///
/// In training the `training_share` of a batch of which the first answer is least sure goes on;
/// their output is the expert's, whose loss is the mean over these images. The first answer learns
/// by a loss of its own, and by no other. A share of a half saves work, as training on the images
/// that a small network finds hard does (KellerJordan/cifar10-airbench). set_thresholds()
/// (sluice/trainer.h) belongs behind training: before it every image goes on. `share` may be
/// changed afterwards.
///
/// Tensors: "thresholds" {101}, one for each whole percentage of images that go on, and those of
/// the experts, as of a MixtureOfExperts.
struct Cascade {
  std::string name;
  /// Networks with names of their own, each from values to logits. Their `input` is not read.
  std::vector<Sequential> experts;
  std::vector<int> expert_of_class = {};  ///< from 0; needed with several experts
  double share = 0.25;                    ///< of images that go on at inference; 0 to 1
  double training_share = 1;              ///< of a batch in training; above 0, up to 1
  double first_loss = 1;  ///< times the cross-entropy of the first answer is added in training
};

using Layer =
    std::variant<Conv2D, MaxPooling2D, Dropout, Flatten, Dense, Reshape, ActivationLayer, Add,
                 Multiply, Concatenate, DepthwiseConv2D, AveragePooling2D, GlobalAveragePooling2D,
                 GlobalMaxPooling2D, BatchNormalization, ZeroPadding2D, Rescaling, Normalization,
                 LeakyReLU, ELU, MixtureOfExperts, Cascade, CondConv2D>;

/// A network: a chain of layers, or where `inputs` says so a graph without cycles. Its output is
/// the last layer's.
struct Sequential {
  std::string name;
  Shape input;
  std::vector<Layer> layers;
  /// By a layer's name, the names of the layers before it that it takes, or "images" for the
  /// network's input. A layer that is not here takes the one before it.
  std::map<std::string, std::vector<std::string>> inputs = {};
  /// What training leaves as it is: names of layers, as Keras's `trainable = False`, or of a tensor
  /// of a layer, "conv/kernel". A frozen BatchNormalization uses its moving statistics also in
  /// training.
  std::set<std::string> frozen = {};
};

/// A tensor of a layer.
struct TensorSpec {
  std::string name;  ///< Keras's word: "kernel", "bias"
  Shape shape;
  Initializer initializer = Initializer::zeros;
  bool trained = true;  ///< false if frozen, and for state that training changes without a gradient
};

/// One line of Keras's summary, and what the layer has and costs.
struct LayerSummary {
  std::string name;
  std::string type;
  Shape output;
  std::vector<TensorSpec> tensors;  ///< in Keras's order
  /// Multiplications and additions of its definition, for one image; each backward pass has as
  /// many. Of experts those of the mean expert, `top_k` times, or a cascade's `share`.
  double flops = 0;
  double training_flops = 0;  ///< the same in training, where a cascade has its `training_share`
  std::int64_t idle_parameters = 0;  ///< of experts that do not run for an image, in the mean

  /// Number of values in its tensors, state included, as Keras counts them.
  std::int64_t parameters() const;
};

/// Works out every shape. Throws Error (user) where layers do not fit, a number is out of range
/// (sizes and units from 1 to 65536, a rate from 0 up to 1), two layers have one name, a layer
/// takes what does not come before it, no layer takes a result, or what is frozen is no layer,
/// naming the layer.
std::vector<LayerSummary> summarize(const Sequential& model);
/// Number of values in all tensors, state included.
std::int64_t count_parameters(const Sequential& model);
double count_flops(const Sequential& model);

/// The parameters of one Sequential: a single block of floats in Keras's shapes and row-major
/// order. What is trained comes first, layer after layer; the rest follows.
class Weights {
 public:
  struct Tensor {
    std::string layer;
    std::string kind;  ///< TensorSpec::name
    Shape shape;
    std::size_t offset;
    std::size_t size;
    Initializer initializer;
    bool trained;
  };

  /// All zero. Throws Error (user) as summarize() does.
  explicit Weights(const Sequential& model);

  /// Gives each tensor the values of its initializer. `stream` tells apart models that share a
  /// seed.
  void initialize(std::uint64_t seed, std::uint32_t stream);

  /// Takes the values of `other`'s tensors for the layers of which it has all, by name and shape. A
  /// tensor of an expert, "layer/expert/conv/kernel", without its like takes those of
  /// "layer.conv/kernel", its name in the network with one expert in place of all, so that experts
  /// begin as clones. Returns the names of the tensors that keep their values.
  std::vector<std::string> take(const Weights& other);

  /// Layer after layer, each layer's in Keras's order.
  const std::vector<Tensor>& tensors() const { return tensors_; }
  std::span<float> values() { return values_; }
  std::span<const float> values() const { return values_; }
  /// The part of values() that an optimizer updates.
  std::span<float> trained() { return values().first(trained_); }
  std::span<const float> trained() const { return values().first(trained_); }
  /// The rest: what is frozen, and what training changes without a gradient.
  std::span<float> state() { return values().subspan(trained_); }
  std::span<float> values(const Tensor& t) { return values().subspan(t.offset, t.size); }
  std::span<const float> values(const Tensor& t) const {
    return values().subspan(t.offset, t.size);
  }

 private:
  std::vector<Tensor> tensors_;
  std::vector<float> values_;
  std::size_t trained_ = 0;  ///< number of trained values
};

}  // namespace sluice

#pragma GCC visibility pop
