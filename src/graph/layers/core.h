#pragma once

#include "graph/layer_type.h"

namespace sluice {

template <>
struct LayerType<Dense> {
  static constexpr const char* kClassName = "Dense";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.count("units", layer.units, kMostUnits);
    settings.activation("activation", layer.activation);
    settings.flag("use_bias", layer.use_bias, true);
    settings.initializer("kernel_initializer", layer.kernel_initializer);
  }

  static LayerInfo describe(const Dense& layer, const Shape& input) {
    if (input.size() != 1) {
      throw misfit("takes one axis, not {}: put a Flatten before it", to_string(input));
    }
    const Initializer initializer = layer.kernel_initializer;
    if (initializer == Initializer::identity || initializer == Initializer::whitening) {
      throw misfit("has an initial kernel of convolutions: choose another kernel_initializer");
    }
    if (initializer == Initializer::centroids && !layer.use_bias) {
      throw misfit("has centroids, which need a bias: leave out use_bias");
    }
    const Shape kernel{input[0], layer.units};
    return {
        .output = {layer.units},
        .tensors = kernel_and_bias(kernel, layer.units, layer.use_bias, layer.kernel_initializer),
        .flops = 2 * double(element_count(kernel)),
        .operations = {operation::InnerProduct{layer.units, layer.use_bias},
                       operation::Activate{layer.activation}}};
  }
};

}  // namespace sluice
