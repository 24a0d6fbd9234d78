#include "formats/keras/fill_weights.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "formats/import/pixel_range.h"
#include "formats/keras/recognize.h"
#include "graph/layer_types.h"

namespace sluice {

namespace {

using Stored = std::vector<const StoredLayer*>;

/// Whether a legacy file's key can be of the layer at `path`: variables have the names of some of
/// the models around them, too.
bool may_be(const std::string& key, const DeclaredModel::Weighted& layer) {
  const bool nested = layer.path.size() > layer.name.size();
  const std::string outer = nested ? layer.path.substr(0, layer.path.find('/') + 1) : "";
  // A nested model of one layer has that layer's weights in its own group.
  return (key.starts_with(outer) && key.ends_with("/" + layer.name)) || key + "/" == outer;
}

/// Of each layer that is declared; nullptr where the file has none or, a legacy one, several.
Stored by_key(const DeclaredModel& declared, const StoredModel& stored) {
  const auto find = [&](const auto& fits) -> const StoredLayer* {
    const auto found = std::find_if(stored.layers.begin(), stored.layers.end(), fits);
    return found == stored.layers.end() ? nullptr : &*found;
  };
  Stored layers;
  for (const DeclaredModel::Weighted& wanted : declared.weighted) {
    const std::string& key = stored.legacy ? wanted.path : wanted.key;
    const StoredLayer* found = find([&](const StoredLayer& layer) { return layer.key == key; });
    if (found == nullptr && stored.legacy) {
      const auto near = [&](const StoredLayer& layer) { return may_be(layer.key, wanted); };
      if (std::count_if(stored.layers.begin(), stored.layers.end(), near) == 1) found = find(near);
    }
    layers.push_back(found);
  }
  return layers;
}

class Filler {
 public:
  Filler(const Safetensors& tensors, const std::string& place) : tensors_(tensors), place_(place) {}

  /// Checks first, for sizes that only a configuration has may be anything.
  Weights fill(const Sequential& model, const Stored& layers) const {
    std::vector<std::string> sources;  // of each tensor of the model
    std::size_t next = 0;
    for (const LayerSummary& layer : summarize(model)) {
      if (layer.tensors.empty()) continue;
      const StoredLayer& stored = *layers.at(next++);
      check(layer, stored);
      sources.insert(sources.end(), stored.weights.begin(), stored.weights.end());
    }
    Weights weights(model);
    for (std::size_t i = 0; i < sources.size(); ++i) {
      tensors_.copy(*tensors_.find(sources[i]), weights.values(weights.tensors()[i]));
    }
    return weights;
  }

 private:
  void check(const LayerSummary& layer, const StoredLayer& stored) const {
    const std::string label = one_line(stored.name.empty() ? stored.key : stored.name);
    if (stored.weights.size() != layer.tensors.size()) {
      std::vector<std::string> names;
      for (const TensorSpec& tensor : layer.tensors) names.push_back(tensor.name);
      throw user_error("keras", "{}: layer '{}' has {} weights of floats; a {} of Sluice's has {}",
                       place_, label, stored.weights.size(), layer.type, fmt::join(names, ", "));
    }
    for (std::size_t i = 0; i < layer.tensors.size(); ++i) {
      const TensorSpec& wanted = layer.tensors[i];
      const Shape& found = tensors_.find(stored.weights[i])->shape;
      if (found != wanted.shape) {
        throw user_error("keras", "{}: layer '{}' has a {} of {}, but {} of the model has {}",
                         place_, label, wanted.name, to_string(found), one_line(layer.name),
                         to_string(wanted.shape));
      }
    }
  }

  const Safetensors& tensors_;
  const std::string& place_;
};

std::vector<double> values_of(const Safetensors& tensors, const std::string& name,
                              std::size_t channels) {
  const Safetensors::Tensor& tensor = *tensors.find(name);
  const auto count = static_cast<std::size_t>(element_count(tensor.shape));
  if (count != 1 && count != channels) return {};
  std::vector<float> values(count);
  tensors.copy(tensor, values);
  if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) return {};
  if (count == 1) values.resize(channels, values[0]);
  return {values.begin(), values.end()};
}

/// Gives a Normalization what adapt() computed: its weights.
void adapt(DeclaredModel& declared, const DeclaredModel::Weighted& at, const StoredLayer& stored,
           const Safetensors& tensors, const std::string& place) {
  const auto layer = std::ranges::find_if(
      declared.model.layers, [&](const Layer& each) { return name_of(each) == at.adapted; });
  auto& normalization = std::get<Normalization>(*layer);
  const std::size_t channels = normalization.mean.size();
  if (stored.weights.size() >= 2) {
    normalization.mean = values_of(tensors, stored.weights[0], channels);
    normalization.variance = values_of(tensors, stored.weights[1], channels);
  }
  const bool fits =
      stored.weights.size() >= 2 && normalization.mean.size() == channels &&
      normalization.variance.size() == channels &&
      std::ranges::all_of(normalization.variance, [](double value) { return value >= 0; });
  if (!fits) {
    throw user_error("keras",
                     "{}: layer '{}' needs a mean and a variance of 0 or more for each of {} "
                     "channels, and its weights are others: adapt() it again",
                     place, one_line(at.path), channels);
  }
  if (at.on_pixels && to_unit_range(*layer)) {
    declared.remarks.push_back(takes_bytes(place, at.path));
  }
}

}  // namespace

Weights fill_weights(DeclaredModel& declared, const StoredModel& stored, const Safetensors& tensors,
                     const std::string& place) {
  Stored layers = by_key(declared, stored);
  const bool distinct = std::set(layers.begin(), layers.end()).size() == layers.size();
  if (stored.legacy && (!distinct || std::count(layers.begin(), layers.end(), nullptr) > 0)) {
    // Keras 2 could give variables other names than their layers; Keras itself goes by position.
    Stored weighted = weighted_layers(stored);
    if (weighted.size() == layers.size()) layers = std::move(weighted);
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const DeclaredModel::Weighted& wanted = declared.weighted[i];
    const StoredLayer* layer = layers[i];
    if (layer == nullptr) {
      throw user_error("keras", "{}: layer '{}' has no weights in the file", place,
                       one_line(wanted.path));
    }
    if (!layer->name.empty() && !wanted.name.empty() && layer->name != wanted.name &&
        !stored.legacy) {
      throw user_error("keras", "{}: where the weights of layer '{}' should be, are those of '{}'",
                       place, one_line(wanted.path), one_line(layer->name));
    }
    if (!wanted.adapted.empty()) adapt(declared, wanted, *layer, tensors, place);
  }
  for (std::size_t i = layers.size(); i-- > 0;) {
    if (!declared.weighted[i].adapted.empty()) layers.erase(layers.begin() + static_cast<int>(i));
  }
  return Filler(tensors, place).fill(declared.model, layers);
}

Weights fill_weights(const Sequential& model, const StoredModel& stored, const Safetensors& tensors,
                     const std::string& place) {
  return Filler(tensors, place).fill(model, weighted_layers(stored));
}

}  // namespace sluice
