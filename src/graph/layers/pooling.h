#pragma once

#include "graph/layer_type.h"

namespace sluice {

/// What pools of windows share.
template <operation::Pooling::Kind kind>
struct LayerTypeOfPool {
  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.size("pool_size", layer.pool_size, kMostUnits);
    settings.padding("padding", layer.padding, Padding::valid);
    Size2D strides = layer.strides.value_or(layer.pool_size);
    settings.size("strides", strides, kMostUnits, layer.pool_size);
    if constexpr (!std::is_const_v<L>) layer.strides = strides;
    settings.fixed("data_format", "channels_last", Missing::or_null);
  }

  static LayerInfo describe(const auto& layer, const Shape& input) {
    require_image(input);
    const auto window =
        window_on(input, layer.pool_size, layer.strides.value_or(layer.pool_size), layer.padding);
    return {.output = results_of(window, input, input[2]),
            .operations = {operation::Pooling{kind, window}}};
  }
};

template <>
struct LayerType<MaxPooling2D> : LayerTypeOfPool<operation::Pooling::Kind::max> {
  static constexpr const char* kClassName = "MaxPooling2D";
};

template <>
struct LayerType<AveragePooling2D> : LayerTypeOfPool<operation::Pooling::Kind::average> {
  static constexpr const char* kClassName = "AveragePooling2D";
};

/// What pools of all pixels share.
template <operation::Pooling::Kind kind>
struct LayerTypeOfGlobalPool {
  template <class L, class Settings>
  static void visit(L&, Settings& settings) {
    settings.fixed("data_format", "channels_last", Missing::or_null);
    settings.fixed("keepdims", false, Missing::has_it);
  }

  static LayerInfo describe(const auto&, const Shape& input) {
    require_image(input);
    const Size2D all(static_cast<int>(input[0]), static_cast<int>(input[1]));
    return {.output = {input[2]},
            .operations = {operation::Pooling{kind, {all, all}}, operation::Flatten{}}};
  }
};

template <>
struct LayerType<GlobalAveragePooling2D>
    : LayerTypeOfGlobalPool<operation::Pooling::Kind::average> {
  static constexpr const char* kClassName = "GlobalAveragePooling2D";
};

template <>
struct LayerType<GlobalMaxPooling2D> : LayerTypeOfGlobalPool<operation::Pooling::Kind::max> {
  static constexpr const char* kClassName = "GlobalMaxPooling2D";
};

}  // namespace sluice
