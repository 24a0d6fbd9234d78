#pragma once

#include <string>
#include <vector>

#include "sluice/layers.h"

namespace sluice {

/// A function that an ONNX graph may build of several nodes. It becomes a layer once it is known
/// which: Sigmoid(x) is one, and x * Sigmoid(x) is SiLU.
enum class OnnxFunction {
  none,
  sigmoid,
  hard_sigmoid,
  softplus,
  tanh_of_softplus,
  erf,
  silu,
  hard_silu,
  mish,
  gelu,
  log_softmax,
  absolute,
  is_large,  ///< whether it is so large that Softplus(x) is x
};

/// An image that became a vector, in ONNX's order of its axes.
struct FlattenedImage {
  Shape shape;            ///< (height, width, channels)
  std::vector<int> axes;  ///< in the order in which ONNX counts them

  bool operator==(const FlattenedImage&) const = default;
};

/// A value of an ONNX graph as Sluice computes it: the result of a layer, whose axes may have
/// another order, and what is applied to it without being a layer yet: scale * function(inner * x)
/// + offset.
struct OnnxValue {
  std::string layer;  ///< or "images"
  Shape shape;        ///< of the layer's result
  /// For each axis of ONNX's but the batch, the axis of `shape`; -1 for one of size 1 that `shape`
  /// does not have. An axis of `shape` that is not here has size 1.
  std::vector<int> axes;
  /// Of a vector in another order than ONNX's: what it was made of, one after another.
  std::vector<FlattenedImage> flattened{};
  /// Whether one node alone takes the result of the layer: it may change the layer.
  bool is_alone = true;

  OnnxFunction function = OnnxFunction::none;
  double inner = 1;
  std::vector<double> scale{1};   ///< one number, or one for each channel
  std::vector<double> offset{0};  ///< as many

  /// ONNX's shape, without the batch.
  Shape dims() const;
  /// Whether scale and offset change nothing.
  bool is_plain() const;
  /// Whether it is an image with its channels first, as ONNX's convolutions take it.
  bool is_channels_first() const;
  /// For each place in ONNX's order, the place in Sluice's; empty where they are the same.
  /// Allocates as much as the vector has values.
  std::vector<std::size_t> order() const;
};

/// (channels, height, width) of Sluice's (height, width, channels).
inline const std::vector<int> kChannelsFirst{2, 0, 1};

/// Whether axes are in Sluice's order, those of size 1 aside.
bool in_order(const Shape& shape, const std::vector<int>& axes);

}  // namespace sluice
