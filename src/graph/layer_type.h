#pragma once

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
///   square("kernel_size", int& value, most)      the same; in Keras's files one number for each
///   axis rate("rate", float& value)                   from 0 up to 1, without 1
///   activation("activation", Activation& value)
///   shape("target_shape", Shape& value)          1 to kMostAxes sizes from 1 to kMostUnits
///   fixed("strides", FixedSetting value, Missing)
///                                                a setting of Keras's that has one value here
template <class L>
struct LayerType;

// Nothing sensible comes near these, and no product of three leaves 64 bits.
constexpr std::int64_t kMostUnits = 1 << 16;
constexpr std::int64_t kMostKernel = 1 << 6;
constexpr std::size_t kMostAxes = 3;

using FixedSetting = std::variant<std::nullptr_t, bool, int, const char*, std::array<int, 2>>;

/// Meaning of a fixed setting that a file lacks.
enum class Missing {
  has_it,   ///< Keras's default is the value
  or_null,  ///< the same, and null says so, too
  refused,  ///< Keras's default is another one
};

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

/// A kernel with Glorot's initial values and a bias, which all have that are multiplied.
inline std::vector<TensorSpec> kernel_and_bias(const Shape& kernel) {
  return {{"kernel", kernel, Initializer::glorot_uniform}, {"bias", {kernel.back()}}};
}

}  // namespace sluice
