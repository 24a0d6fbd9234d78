#pragma once

#include <span>

#include "graph/layer_type.h"

namespace sluice {

/// Name of a tensor of a MixtureOfExperts with bias_rate: {experts}.
inline constexpr const char* kSelectionBias = "selection_bias";

template <>
struct LayerType<MixtureOfExperts> {
  static constexpr const char* kClassName = "MixtureOfExperts";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.networks("experts", layer.experts);
    settings.count("top_k", layer.top_k, kMostExperts);
    settings.flag("normalize_weights", layer.normalize_weights, false);
    settings.number("balance_loss", layer.balance_loss, 0);
    settings.number("gate_loss", layer.gate_loss, 0);
    settings.indices("expert_of_class", layer.expert_of_class);
    settings.number("temperature", layer.temperature, 1);
    settings.number("noise", layer.noise, 0);
    settings.number("bias_rate", layer.bias_rate, 0);
  }

  static LayerInfo describe(const MixtureOfExperts& layer, std::span<const Shape> inputs);
};

template <>
struct LayerType<Cascade> {
  static constexpr const char* kClassName = "Cascade";

  template <class L, class Settings>
  static void visit(L& layer, Settings& settings) {
    settings.networks("experts", layer.experts);
    settings.indices("expert_of_class", layer.expert_of_class);
    settings.number("share", layer.share, 0.25);
    settings.number("training_share", layer.training_share, 1);
    settings.number("first_loss", layer.first_loss, 1);
  }

  static LayerInfo describe(const Cascade& layer, std::span<const Shape> inputs);
};

/// Whether a layer does not do the same with every image. Other programs have no such layers, and
/// experts must not have them.
inline bool is_mixture(const Layer& layer) {
  return std::holds_alternative<MixtureOfExperts>(layer) ||
         std::holds_alternative<Cascade>(layer) || std::holds_alternative<CondConv2D>(layer);
}

}  // namespace sluice
