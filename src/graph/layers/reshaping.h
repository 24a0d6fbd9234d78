#pragma once

#include "graph/layer_type.h"

namespace sluice {

template <>
struct LayerType<Flatten> {
  static constexpr const char* kClassName = "Flatten";

  template <class L, class Settings>
  static void visit(L&, Settings& settings) {
    settings.fixed("data_format", "channels_last", Missing::or_null);
  }

  static LayerInfo describe(const Flatten&, const Shape& input) {
    return {.output = {element_count(input)}, .operations = {operation::Flatten{}}};
  }
};

template <>
struct LayerType<ZeroPadding2D> {
  static constexpr const char* kClassName = "ZeroPadding2D";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.margins("padding", layer.top, layer.bottom, layer.left, layer.right);
    settings.fixed("data_format", "channels_last", Missing::or_null);
  }

  static LayerInfo describe(const ZeroPadding2D& layer, const Shape& input) {
    require_image(input);
    return {.output = {input[0] + layer.top + layer.bottom, input[1] + layer.left + layer.right,
                       input[2]},
            .operations = {operation::Pad{layer.top, layer.bottom, layer.left, layer.right}}};
  }
};

template <>
struct LayerType<Reshape> {
  static constexpr const char* kClassName = "Reshape";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.shape("target_shape", layer.target);
  }

  static LayerInfo describe(const Reshape& layer, const Shape& input) {
    if (element_count(layer.target) != element_count(input)) {
      throw misfit("{} cannot become {}: the sizes' products differ", to_string(input),
                   to_string(layer.target));
    }
    return {.output = layer.target, .operations = {operation::Reshape{layer.target}}};
  }
};

}  // namespace sluice
