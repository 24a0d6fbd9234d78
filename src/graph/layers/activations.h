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

}  // namespace sluice
