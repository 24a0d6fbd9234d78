#include "graph/wiring.h"

#include <map>

#include "base/fail.h"
#include "graph/layer_types.h"

namespace sluice {

namespace {

void require_inputs_of_layers(const Sequential& model, const std::map<std::string, int>& places) {
  for (const auto& [name, unused] : model.inputs) {
    if (places.contains(name)) continue;
    throw user_error("model", "{}: there are inputs for '{}', which is no layer", model.name, name);
  }
}

void require_used(const Sequential& model, const std::vector<std::vector<int>>& sources) {
  std::vector<bool> used(model.layers.size());
  for (const std::vector<int>& of_layer : sources) {
    for (const int source : of_layer) {
      if (source != kImages) used[static_cast<std::size_t>(source)] = true;
    }
  }
  for (std::size_t i = 0; i + 1 < used.size(); ++i) {
    if (used[i]) continue;
    throw user_error("model", "{}: no layer takes the result of '{}': leave it out, or use it",
                     model.name, name_of(model.layers[i]));
  }
}

}  // namespace

std::vector<std::vector<int>> sources_of_layers(const Sequential& model) {
  std::map<std::string, int> places;
  std::vector<std::vector<int>> sources;
  for (const Layer& layer : model.layers) {
    const int number = static_cast<int>(sources.size());
    const std::string& name = name_of(layer);
    std::vector<int> taken;
    const auto named = model.inputs.find(name);
    if (named == model.inputs.end()) {
      taken.push_back(number - 1);
    } else {
      for (const std::string& input : named->second) {
        const auto place = places.find(input);
        if (place == places.end() && input != kImagesName) {
          throw user_error("model", "{}: {}: takes '{}', which is no layer before it", model.name,
                           name, input);
        }
        taken.push_back(place == places.end() ? kImages : place->second);
      }
    }
    // Two layers with one name would take the same tensors of a file.
    if (!places.emplace(name, number).second) {
      throw user_error("model", "{}: two layers are called '{}', and each needs a name of its own",
                       model.name, name);
    }
    sources.push_back(std::move(taken));
  }
  require_inputs_of_layers(model, places);
  require_used(model, sources);
  return sources;
}

void leave_out_usual_inputs(Sequential& model) {
  std::string before = kImagesName;
  for (const Layer& layer : model.layers) {
    const std::string& name = name_of(layer);
    const auto inputs = model.inputs.find(name);
    if (inputs != model.inputs.end() && inputs->second == std::vector{before}) {
      model.inputs.erase(inputs);
    }
    before = name;
  }
}

}  // namespace sluice
