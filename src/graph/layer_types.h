#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/activation.h"
#include "graph/layers/activations.h"
#include "graph/layers/convolutional.h"
#include "graph/layers/core.h"
#include "graph/layers/merging.h"
#include "graph/layers/normalization.h"
#include "graph/layers/pooling.h"
#include "graph/layers/regularization.h"
#include "graph/layers/reshaping.h"
#include "graph/layers/routing.h"

namespace sluice {

// Functions over all layer types, by the descriptions in graph/layers.

const std::string& name_of(const Layer& layer);

/// "Conv2D"
const char* class_name_of(const Layer& layer);

/// Class names of all types, in the order of Layer.
std::vector<std::string> layer_class_names();

/// A layer of that class with its default settings; nothing where there is no such class.
std::optional<Layer> make_layer(std::string_view class_name);

/// Calls the functions of `settings`, which LayerType lists, for the settings of a layer.
template <class AnyLayer, class Settings>
void visit_settings(AnyLayer& layer, Settings& settings) {
  std::visit(
      [&](auto& each) { LayerType<std::remove_cvref_t<decltype(each)>>::visit(each, settings); },
      layer);
}

/// Throws Error (user), without the layer's name, for a setting out of range or inputs that do not
/// fit.
LayerInfo describe(const Layer& layer, std::span<const Shape> inputs);

/// Describes every layer of a model, in order. Throws Error (user) as summarize() does.
std::vector<LayerInfo> describe_layers(const Sequential& model);

/// Number of values of a layer's output or its largest tensor, whichever has more.
std::int64_t most_values(const LayerInfo& info);

/// Whether a layer does nothing at inference.
bool changes_training_alone(const LayerInfo& info);

}  // namespace sluice
