#pragma once

#include "graph/layer_type.h"

namespace sluice {

template <>
struct LayerType<ActivationLayer> {
  static constexpr const char* kClassName = "Activation";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.activation("activation", layer.activation);
  }

  static LayerInfo describe(const ActivationLayer& layer, const Shape& input) {
    require_activation(layer.activation, input);
    return {.output = input, .operations = {operation::Activate{layer.activation}}};
  }
};

template <>
struct LayerType<LeakyReLU> {
  static constexpr const char* kClassName = "LeakyReLU";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.number("negative_slope", layer.negative_slope, 0.3);
  }

  static LayerInfo describe(const LeakyReLU& layer, const Shape& input) {
    return {.output = input,
            .operations = {operation::Activate{Activation::leaky_relu, layer.negative_slope}}};
  }
};

template <>
struct LayerType<ELU> {
  static constexpr const char* kClassName = "ELU";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.number("alpha", layer.alpha, 1);
  }

  static LayerInfo describe(const ELU& layer, const Shape& input) {
    return {.output = input, .operations = {operation::Activate{Activation::elu, layer.alpha}}};
  }
};

}  // namespace sluice
