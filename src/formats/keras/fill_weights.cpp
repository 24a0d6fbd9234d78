#include "formats/keras/fill_weights.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "formats/keras/recognize.h"

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

}  // namespace

Weights fill_weights(const DeclaredModel& declared, const StoredModel& stored,
                     const Safetensors& tensors, const std::string& place) {
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
  }
  return Filler(tensors, place).fill(declared.model, layers);
}

Weights fill_weights(const Sequential& model, const StoredModel& stored, const Safetensors& tensors,
                     const std::string& place) {
  return Filler(tensors, place).fill(model, weighted_layers(stored));
}

}  // namespace sluice
