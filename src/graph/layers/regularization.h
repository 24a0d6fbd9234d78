#pragma once

#include "graph/layer_type.h"

namespace sluice {

template <>
struct LayerType<Dropout> {
  static constexpr const char* kClassName = "Dropout";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.rate("rate", layer.rate);
    settings.fixed("noise_shape", nullptr, Missing::has_it);
  }

  static LayerInfo describe(const Dropout& layer, const Shape& input) {
    return {.output = input, .operations = {operation::Dropout{layer.rate}}};
  }
};

}  // namespace sluice
