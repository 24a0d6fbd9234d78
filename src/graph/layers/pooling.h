#pragma once

#include "graph/layer_type.h"

namespace sluice {

template <>
struct LayerType<MaxPooling2D> {
  static constexpr const char* kClassName = "MaxPooling2D";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.square("pool_size", layer.pool_size, kMostUnits);
    settings.fixed("padding", "valid", Missing::has_it);
    settings.fixed("strides", std::array{layer.pool_size, layer.pool_size}, Missing::or_null);
    settings.fixed("data_format", "channels_last", Missing::or_null);
  }

  static LayerInfo describe(const MaxPooling2D& layer, const Shape& input) {
    require_image(input);
    const Shape output{input[0] / layer.pool_size, input[1] / layer.pool_size, input[2]};
    if (element_count(output) == 0) {
      throw misfit("a pool of {} does not fit into {}: use larger images", layer.pool_size,
                   to_string(input));
    }
    return {.output = output, .operations = {operation::MaxPooling{layer.pool_size}}};
  }
};

}  // namespace sluice
