#pragma once

#include <span>

#include "graph/layer_type.h"

namespace sluice {

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
  }

  static LayerInfo describe(const MixtureOfExperts& layer, std::span<const Shape> inputs);
};

}  // namespace sluice
