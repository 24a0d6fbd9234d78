#pragma once

#include <cmath>

#include "graph/layer_type.h"

namespace sluice {

template <>
struct LayerType<BatchNormalization> {
  static constexpr const char* kClassName = "BatchNormalization";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.last_axis("axis");
    settings.number("momentum", layer.momentum, 0.99);
    settings.number("epsilon", layer.epsilon, 1e-3);
    settings.flag("center", layer.center, true);
    settings.flag("scale", layer.scale, true);
    settings.fixed("renorm", false, Missing::has_it);
  }

  static LayerInfo describe(const BatchNormalization& layer, const Shape& input) {
    if (!(layer.momentum >= 0 && layer.momentum <= 1)) {
      throw misfit("momentum must be from 0 to 1, not {}", layer.momentum);
    }
    if (!(layer.epsilon > 0 && layer.epsilon <= 1)) {
      throw misfit("epsilon must be above 0 and at most 1, not {}", layer.epsilon);
    }
    const Shape channels{input.back()};
    std::vector<TensorSpec> tensors;
    if (layer.scale) tensors.push_back({"gamma", channels, Initializer::ones});
    if (layer.center) tensors.push_back({"beta", channels});
    tensors.push_back({"moving_mean", channels, Initializer::zeros, false});
    tensors.push_back({"moving_variance", channels, Initializer::ones, false});
    return {.output = input,
            .tensors = std::move(tensors),
            .operations = {operation::BatchNormalization{layer.momentum, layer.epsilon,
                                                         layer.center, layer.scale}}};
  }
};

template <>
struct LayerType<Rescaling> {
  static constexpr const char* kClassName = "Rescaling";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.number("scale", layer.scale, 1);
    settings.number("offset", layer.offset, 0);
  }

  static LayerInfo describe(const Rescaling& layer, const Shape& input) {
    const auto channels = static_cast<std::size_t>(input.back());
    return {.output = input,
            .operations = {
                operation::Scale{std::vector<float>(channels, static_cast<float>(layer.scale)),
                                 std::vector<float>(channels, static_cast<float>(layer.offset))}}};
  }
};

template <>
struct LayerType<Normalization> {
  static constexpr const char* kClassName = "Normalization";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.last_axis("axis");
    settings.numbers("mean", layer.mean);
    settings.numbers("variance", layer.variance);
    settings.fixed("invert", false, Missing::has_it);
  }

  static LayerInfo describe(const Normalization& layer, const Shape& input) {
    const auto channels = static_cast<std::size_t>(input.back());
    if (layer.mean.size() != channels || layer.variance.size() != channels) {
      throw misfit("has {} means and {} variances for {} channels: give one of each for each",
                   layer.mean.size(), layer.variance.size(), channels);
    }
    constexpr double kSmallest = 1e-7;  // keras.backend.epsilon(), the least deviation
    operation::Scale scale;
    for (std::size_t i = 0; i < channels; ++i) {
      if (!(layer.variance[i] >= 0)) {
        throw misfit("a variance must be at least 0, not {}", layer.variance[i]);
      }
      const double factor = 1 / std::max(std::sqrt(layer.variance[i]), kSmallest);
      scale.scale.push_back(static_cast<float>(factor));
      scale.offset.push_back(static_cast<float>(-layer.mean[i] * factor));
    }
    return {.output = input, .operations = {std::move(scale)}};
  }
};

}  // namespace sluice
