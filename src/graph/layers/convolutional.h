#pragma once

#include "graph/layer_type.h"

namespace sluice {

template <>
struct LayerType<Conv2D> {
  static constexpr const char* kClassName = "Conv2D";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.count("filters", layer.filters, kMostUnits);
    settings.square("kernel_size", layer.kernel_size, kMostKernel);
    settings.fixed("strides", std::array{1, 1}, Missing::has_it);
    settings.fixed("padding", "same", Missing::refused);
    settings.fixed("data_format", "channels_last", Missing::or_null);
    settings.fixed("dilation_rate", std::array{1, 1}, Missing::has_it);
    settings.fixed("groups", 1, Missing::has_it);
    settings.activation("activation", layer.activation);
    settings.fixed("use_bias", true, Missing::has_it);
  }

  static LayerInfo describe(const Conv2D& layer, const Shape& input) {
    require_image(input);
    const Shape kernel{layer.kernel_size, layer.kernel_size, input[2], layer.filters};
    const Shape output{input[0], input[1], layer.filters};
    require_activation(layer.activation, output);
    return {.output = output,
            .tensors = kernel_and_bias(kernel),
            .flops = 2 * double(input[0] * input[1]) * double(element_count(kernel)),
            .operations = {operation::Convolution{layer.filters, layer.kernel_size},
                           operation::Activate{layer.activation}}};
  }
};

}  // namespace sluice
