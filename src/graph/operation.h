#pragma once

#include <variant>
#include <vector>

#include "sluice/layers.h"

namespace sluice {

/// Operations that layers consist of. The compiled network, the reference network and the ONNX
/// export each visit Operation, and do not compile until they know every one of them. An operation
/// with parameters takes the next tensors of its layer, in their order.
namespace operation {

/// Where a convolution or a pool looks: rectangles of an image, from `top` and `left` outside of
/// it.
struct Window {
  Size2D size = 1;
  Size2D strides = 1;
  int top = 0, left = 0, bottom = 0, right = 0;  ///< pixels of padding

  bool operator==(const Window&) const = default;
  /// Number of its places in that many pixels; 0 or less where it does not fit.
  std::int64_t rows(std::int64_t height) const {
    return places(height + top + bottom - size.height, strides.height);
  }
  std::int64_t columns(std::int64_t width) const {
    return places(width + left + right - size.width, strides.width);
  }
  /// Whether it gives each pixel one result.
  bool keeps_size(int size_of_both) const {
    return size == Size2D(size_of_both) && strides == Size2D(1) && top == (size_of_both - 1) / 2 &&
           left == top && bottom == size_of_both / 2 && right == bottom;
  }

 private:
  static std::int64_t places(std::int64_t rest, int stride) {
    return rest < 0 ? 0 : rest / stride + 1;
  }
};

/// Takes a kernel {height, width, in, filters}, or if depthwise {height, width, channels, 1}, and a
/// bias if there is one.
struct Convolution {
  int filters;
  Window window;
  bool depthwise = false;
  bool bias = true;
};

/// A convolution whose kernel is mixed for each image. Takes the gate's kernel {in, kernels} and
/// bias {kernels}, kernels {kernels, height, width, in, filters}, and a bias if there is one.
struct CondConvolution {
  int kernels;
  Convolution convolution;  ///< not depthwise
};

/// Takes a kernel {in, units} and a bias if there is one.
struct InnerProduct {
  int units;
  bool bias = true;
};

/// The largest value of each window, or the mean of those in the image.
struct Pooling {
  enum class Kind { max, average };
  Kind kind;
  Window window;
};

/// Takes gamma if `scale`, beta if `center`, the moving mean and the moving variance.
struct BatchNormalization {
  double momentum;
  double epsilon;
  bool center;
  bool scale;
  bool frozen = false;  ///< uses the moving statistics also in training
};

/// Zeros around images.
struct Pad {
  int top, bottom, left, right;
};

/// x * scale + offset, each a value for each channel.
struct Scale {
  std::vector<float> scale;
  std::vector<float> offset;
};

/// Does nothing at inference.
struct Dropout {
  float rate;
};

struct Flatten {};

struct Reshape {
  Shape target;
};

/// Softmax is over the last axis.
struct Activate {
  explicit Activate(Activation activation)
      : Activate(activation, activation == Activation::leaky_relu ? 0.2 : 1) {}
  Activate(Activation activation, double negative) : function(activation), alpha(negative) {}

  Activation function;
  double alpha;  ///< leaky_relu's slope and elu's factor below 0
};

// Of several values.

struct Add {};
struct Multiply {};

/// Along the last axis.
struct Concatenate {};

/// Takes values and a gate's logits; takes the selection bias if there is one, and the tensors of
/// the experts, one expert after another.
struct MixtureOfExperts {
  std::vector<Sequential> experts;  ///< with their input
  int top_k;
  bool normalize_weights;
  double balance_loss;
  double gate_loss;
  std::vector<int> expert_of_class;
  double temperature;
  double noise;
  bool selection_bias;
  double bias_rate;  ///< 0 also for a bias that is frozen
};

/// Takes values and the logits of the first answer; takes the threshold, and the tensors of the
/// experts as MixtureOfExperts.
struct Cascade {
  std::vector<Sequential> experts;   ///< with their input
  std::vector<int> expert_of_class;  ///< empty for one expert
  double share;
  double training_share;
  double first_loss;
};

}  // namespace operation

using Operation =
    std::variant<operation::Convolution, operation::InnerProduct, operation::Pooling,
                 operation::BatchNormalization, operation::Pad, operation::Scale,
                 operation::Dropout, operation::Flatten, operation::Reshape, operation::Activate,
                 operation::Add, operation::Multiply, operation::Concatenate,
                 operation::MixtureOfExperts, operation::Cascade, operation::CondConvolution>;

}  // namespace sluice
