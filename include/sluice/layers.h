#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "sluice/shape.h"

namespace [[gnu::visibility("default")]] sluice {

// A model is a plain description. Names and meanings are those of Keras's layers.

enum class Activation { linear, relu, softmax };

/// Square kernel, stride 1, 'same' padding. Kernel {size, size, in, filters}, bias {filters}.
struct Conv2D {
  std::string name;
  int filters;
  int kernel_size = 3;
  Activation activation = Activation::relu;
};

/// Stride equal to the pool, 'valid' padding: a remainder at the right or lower edge is dropped.
struct MaxPooling2D {
  std::string name;
  int pool_size = 2;
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
};

struct Reshape {
  std::string name;
  Shape target;
};

using Layer = std::variant<Conv2D, MaxPooling2D, Dropout, Flatten, Dense, Reshape>;

struct Sequential {
  std::string name;
  Shape input;
  std::vector<Layer> layers;
};

/// One line of Keras's summary, and where the layer's parameters are.
struct LayerSummary {
  std::string name;
  std::string type;
  Shape output;
  Shape kernel;  ///< empty for a layer without parameters; its bias has the kernel's last size
  std::int64_t parameters = 0;

  /// Multiplications and additions of its definition, for one image; each backward pass has as
  /// many.
  double flops() const;
};

/// Works out every shape. Throws Error (user) where layers do not fit, a number is out of range
/// (sizes and units from 1 to 65536, a rate from 0 up to 1), or two layers have one name, naming
/// the layer.
std::vector<LayerSummary> summarize(const Sequential& model);
std::int64_t count_parameters(const Sequential& model);
double count_flops(const Sequential& model);

/// The parameters of one Sequential: a single block of floats, layer after layer, kernel before
/// bias, in Keras's shapes and row-major order.
class Weights {
 public:
  struct Tensor {
    std::string layer;
    std::string kind;  ///< "kernel" or "bias"
    Shape shape;
    std::size_t offset;
    std::size_t size;
  };

  /// All zero. Throws Error (user) as summarize() does.
  explicit Weights(const Sequential& model);

  /// Glorot uniform kernels (Glorot and Bengio 2010: limit sqrt(6 / (fan_in + fan_out)), fans of a
  /// convolution include its kernel's area) and zero biases. `stream` tells apart models that
  /// share a seed.
  void initialize(std::uint64_t seed, std::uint32_t stream);

  const std::vector<Tensor>& tensors() const { return tensors_; }
  std::span<float> values() { return values_; }
  std::span<const float> values() const { return values_; }
  std::span<float> values(const Tensor& t) { return values().subspan(t.offset, t.size); }
  std::span<const float> values(const Tensor& t) const {
    return values().subspan(t.offset, t.size);
  }

 private:
  std::vector<Tensor> tensors_;
  std::vector<float> values_;
};

}  // namespace sluice
