#include "lab/width.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "graph/layer_types.h"
#include "graph/wiring.h"

namespace sluice {

namespace {

using SourcesOfLayers = std::vector<std::vector<int>>;

/// Returns the layer whose filters or units are the channels of a layer's output; kImages if none
/// has them.
int layer_of_channels(const Sequential& model, const SourcesOfLayers& sources, int layer) {
  while (layer != kImages) {
    const auto i = static_cast<std::size_t>(layer);
    const Layer& here = model.layers[i];
    const bool has_filters = std::holds_alternative<Conv2D>(here) ||
                             std::holds_alternative<CondConv2D>(here) ||
                             std::holds_alternative<Dense>(here);
    if (has_filters) return layer;
    layer = sources[i].front();
  }
  return kImages;
}

void widen(Layer& layer, double width) {
  constexpr int kStep = 4;  // fine enough to meet a given amount of work
  if (auto* convolution = std::get_if<Conv2D>(&layer)) {
    convolution->filters = widened(convolution->filters, width, kStep);
  } else if (auto* mixed = std::get_if<CondConv2D>(&layer)) {
    mixed->filters = widened(mixed->filters, width, kStep);
  } else if (auto* dense = std::get_if<Dense>(&layer)) {
    dense->units = widened(dense->units, width, kStep);
  }
}

/// Widens all layers but those that have the channels of `logits`.
void widen(Sequential& model, const std::vector<int>& logits, const SourcesOfLayers& sources,
           double width) {
  std::vector<int> kept;
  for (const int layer : logits) kept.push_back(layer_of_channels(model, sources, layer));
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    if (std::ranges::find(kept, static_cast<int>(i)) == kept.end()) widen(model.layers[i], width);
  }
}

void widen(std::vector<Sequential>& experts, bool end_in_logits, double width) {
  for (Sequential& expert : experts) {
    std::vector<int> logits;
    if (end_in_logits) logits.push_back(static_cast<int>(expert.layers.size()) - 1);
    widen(expert, logits, sources_of_layers(expert), width);
  }
}

}  // namespace

void require_width(const std::string& model, double width) {
  constexpr double kWidest = 128;
  if (width > 0 && width <= kWidest) return;
  throw user_error("model", "{}: a width of {}: must be above 0, up to {}", model, width, kWidest);
}

int widened(int units, double width, int step) {
  return std::max(step, step * static_cast<int>(std::lround(units * width / step)));
}

Sequential widened(Sequential model, double width) {
  if (width == 1) return model;
  const SourcesOfLayers sources = sources_of_layers(model);
  std::vector<int> logits;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    if (auto* cascade = std::get_if<Cascade>(&model.layers[i])) {
      logits.push_back(sources[i][1]);
      widen(cascade->experts, true, width);
    } else if (auto* mixture = std::get_if<MixtureOfExperts>(&model.layers[i])) {
      logits.push_back(sources[i][1]);
      widen(mixture->experts, false, width);
    }
  }
  widen(model, logits, sources, width);
  return model;
}

}  // namespace sluice
