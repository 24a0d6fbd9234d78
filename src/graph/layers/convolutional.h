#pragma once

#include "graph/layer_type.h"

namespace sluice {

/// Settings that all convolutions have after their kernel's size.
template <class L, class Settings>
void visit_convolution(L& layer, Settings& settings) {
  settings.size("strides", layer.strides, kMostKernel, 1);
  settings.padding("padding", layer.padding, Padding::same);
  settings.fixed("data_format", "channels_last", Missing::or_null);
  settings.fixed("dilation_rate", std::array{1, 1}, Missing::has_it);
  settings.activation("activation", layer.activation);
  settings.flag("use_bias", layer.use_bias, true);
}

/// `outputs` are channels of the result: filters, or if depthwise the input's.
inline LayerInfo describe_convolution(const auto& layer, const Shape& input, std::int64_t outputs,
                                      bool depthwise, Initializer initializer) {
  const Shape kernel{layer.kernel_size.height, layer.kernel_size.width, input[2],
                     depthwise ? 1 : outputs};
  const auto window = window_on(input, layer.kernel_size, layer.strides, layer.padding);
  const Shape output = results_of(window, input, outputs);
  require_activation(layer.activation, output);
  return {.output = output,
          .tensors = kernel_and_bias(kernel, outputs, layer.use_bias, initializer),
          .flops = 2 * double(output[0] * output[1]) * double(element_count(kernel)),
          .operations = {operation::Convolution{int(outputs), window, depthwise, layer.use_bias},
                         operation::Activate{layer.activation}}};
}

template <>
struct LayerType<Conv2D> {
  static constexpr const char* kClassName = "Conv2D";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.count("filters", layer.filters, kMostUnits);
    settings.size("kernel_size", layer.kernel_size, kMostKernel);
    visit_convolution(layer, settings);
    settings.fixed("groups", 1, Missing::has_it);
    settings.initializer("kernel_initializer", layer.kernel_initializer);
  }

  static LayerInfo describe(const Conv2D& layer, const Shape& input) {
    require_image(input);
    if (layer.kernel_initializer == Initializer::centroids) {
      throw misfit("has centroids, which are for a Dense: choose another kernel_initializer");
    }
    const std::int64_t patch = layer.kernel_size.height * layer.kernel_size.width * input[2];
    if (layer.kernel_initializer == Initializer::whitening && layer.filters != 2 * patch) {
      throw misfit("has whitening filters: there must be {}, two for each value of a patch",
                   2 * patch);
    }
    return describe_convolution(layer, input, layer.filters, false, layer.kernel_initializer);
  }
};

template <>
struct LayerType<DepthwiseConv2D> {
  static constexpr const char* kClassName = "DepthwiseConv2D";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.size("kernel_size", layer.kernel_size, kMostKernel);
    visit_convolution(layer, settings);
    settings.fixed("depth_multiplier", 1, Missing::has_it);
  }

  static LayerInfo describe(const DepthwiseConv2D& layer, const Shape& input) {
    require_image(input);
    return describe_convolution(layer, input, input[2], true, Initializer::glorot_uniform);
  }
};

template <>
struct LayerType<CondConv2D> {
  static constexpr const char* kClassName = "CondConv2D";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.count("filters", layer.filters, kMostUnits);
    settings.count("kernels", layer.kernels, kMostExperts);
    settings.size("kernel_size", layer.kernel_size, kMostKernel);
    visit_convolution(layer, settings);
  }

  static LayerInfo describe(const CondConv2D& layer, const Shape& input) {
    require_image(input);
    LayerInfo info = describe_convolution(layer, input, layer.filters, false, Initializer::fan_in);
    Shape& kernel = info.tensors.front().shape;
    kernel.insert(kernel.begin(), layer.kernels);
    const Shape gate{input[2], layer.kernels};
    info.flops += 2 * double(element_count(gate)) + 2 * double(element_count(kernel));
    info.tensors.insert(info.tensors.begin(), {{"gate_kernel", gate, Initializer::small_normal},
                                               {"gate_bias", {layer.kernels}}});
    Operation& operation = info.operations.front();
    operation =
        operation::CondConvolution{layer.kernels, std::get<operation::Convolution>(operation)};
    return info;
  }
};

}  // namespace sluice
