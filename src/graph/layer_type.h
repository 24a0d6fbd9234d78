#pragma once

#include <algorithm>
#include <array>
#include <variant>
#include <vector>

#include "base/fail.h"
#include "graph/operation.h"

namespace sluice {

/// Properties of a layer for the shape of its input.
struct LayerInfo {
  Shape output;
  std::vector<TensorSpec> tensors = {};  ///< in Keras's order
  double flops = 0;                      ///< as LayerSummary::flops
  double only_training_flops = 0;        ///< operations beside these in training's forward pass
  std::int64_t idle_parameters = 0;      ///< as LayerSummary::idle_parameters
  std::vector<Operation> operations;     ///< a chain, whose first takes the layer's inputs
};

/// The one description of a layer type. Each specialization has
///   static constexpr const char* kClassName      Keras's name: "Conv2D"
///   template <class L, class Settings>
///   static void visit(L& layer, Settings& settings)
///                                                calls one function of `settings` for each
///                                                setting, under Keras's name, in the order of
///                                                files
///   static LayerInfo describe(const L& layer, const Shape& input)
///                                                throws misfit() where the input does not fit; a
///                                                layer of several inputs has std::span<const
///                                                Shape>
///
/// Settings are read, written and checked by visitors with these functions:
///   count("filters", int& value, most)           a whole number from 1 to most
///   size("pool_size", Size2D& value, most)       two such numbers
///   size("strides", Size2D& value, most, otherwise)
///                                                the same; a file may leave out the last
///   rate("rate", float& value)                   from 0 up to 1, without 1
///   number("epsilon", double& value, otherwise)  any finite number
///   numbers("mean", std::vector<double>& value)  1 to kMostUnits of them
///   flag("use_bias", bool& value, otherwise)
///   padding("padding", Padding& value, otherwise)
///   margins("padding", top, bottom, left, right) of images, from 0 to kMostMargin
///   last_axis("axis")                            has -1 alone, the channels
///   activation("activation", Activation& value)
///   initializer("kernel_initializer", Initializer& value)
///                                                of experiments alone
///   shape("target_shape", Shape& value)          1 to kMostAxes sizes from 1 to kMostUnits
///   indices("expert_of_class", std::vector<int>& value)
///                                                none, or up to kMostUnits numbers from 0
///   networks("experts", std::vector<Sequential>& value)
///                                                1 to kMostExperts of them, without such a setting
///   fixed("groups", FixedSetting value, Missing) a setting of Keras's that has one value here
template <class L>
struct LayerType;

// Nothing sensible comes near these, and no product of three leaves 64 bits.
constexpr std::int64_t kMostUnits = 1 << 16;
constexpr std::int64_t kMostKernel = 1 << 6;
constexpr std::int64_t kMostMargin = 1 << 10;
constexpr std::size_t kMostAxes = 3;
constexpr std::size_t kMostExperts = 256;

using FixedSetting = std::variant<std::nullptr_t, bool, int, const char*, std::array<int, 2>>;

/// Meaning of a fixed setting that a file lacks.
enum class Missing {
  has_it,   ///< Keras's default is the value
  or_null,  ///< the same, and null says so, too
};

/// Keras's name: "same"
inline const char* word_of(Padding padding) {
  return padding == Padding::same ? "same" : "valid";
}

/// An error of describe(): what the layer takes, and not its name.
template <class... Args>
Error misfit(fmt::format_string<Args...> format, Args&&... args) {
  return user_error("model", format, std::forward<Args>(args)...);
}

inline void require_image(const Shape& input) {
  if (input.size() != 3) throw misfit("takes (height, width, channels), not {}", to_string(input));
}

inline void require_activation(Activation activation, const Shape& output) {
  if (activation == Activation::softmax && output.size() != 1) {
    throw misfit("has a softmax over one axis of {}: put a Flatten before it", to_string(output));
  }
}

/// A kernel, and a bias of `units` values.
inline std::vector<TensorSpec> kernel_and_bias(
    const Shape& kernel, std::int64_t units, bool use_bias,
    Initializer initializer = Initializer::glorot_uniform) {
  std::vector<TensorSpec> tensors{{"kernel", kernel, initializer}};
  if (use_bias) tensors.push_back({"bias", {units}});
  return tensors;
}

/// The window of a layer on images.
inline operation::Window window_on(const Shape& input, Size2D size, Size2D strides,
                                   Padding padding) {
  operation::Window window{size, strides};
  if (padding == Padding::same) {
    const auto zeros = [](std::int64_t in, int kernel, int stride) {
      const std::int64_t results = (in + stride - 1) / stride;
      return static_cast<int>(std::max<std::int64_t>((results - 1) * stride + kernel - in, 0));
    };
    const int rows = zeros(input[0], size.height, strides.height);
    const int columns = zeros(input[1], size.width, strides.width);
    window.top = rows / 2;
    window.bottom = rows - rows / 2;
    window.left = columns / 2;
    window.right = columns - columns / 2;
  }
  return window;
}

/// The shape of a window's results. Throws misfit() where it is larger than an image.
inline Shape results_of(const operation::Window& window, const Shape& input,
                        std::int64_t channels) {
  const Shape results{window.rows(input[0]), window.columns(input[1]), channels};
  if (results[0] == 0 || results[1] == 0) {
    throw misfit("a window of {}x{} does not fit into {}: use larger images", window.size.height,
                 window.size.width, to_string(input));
  }
  return results;
}

}  // namespace sluice
