#include "formats/keras/keras_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/layer_types.h"

namespace sluice {

namespace {

/// The new names of the layers that need one, by their old names.
std::map<std::string, std::string> new_names(const Sequential& model) {
  std::set<std::string> taken;
  for (const Layer& layer : model.layers) taken.insert(name_of(layer));
  std::map<std::string, std::string> names;
  for (const Layer& layer : model.layers) {
    if (name_of(layer).find_first_of("./") == std::string::npos) continue;
    std::string plain = name_of(layer);
    std::ranges::replace_if(
        plain, [](char c) { return c == '.' || c == '/'; }, '_');
    std::string name = plain;
    for (int n = 2; !taken.insert(name).second; ++n) name = fmt::format("{}_{}", plain, n);
    names[name_of(layer)] = name;
  }
  return names;
}

void rename_layers(Sequential& model, Weights& weights) {
  const std::map<std::string, std::string> names = new_names(model);
  if (names.empty()) return;
  const auto renamed = [&](const std::string& name) {
    const auto found = names.find(name);
    return found == names.end() ? name : found->second;
  };
  for (Layer& layer : model.layers) {
    std::visit([&](auto& each) { each.name = renamed(each.name); }, layer);
  }
  std::map<std::string, std::vector<std::string>> inputs;
  for (auto& [name, sources] : model.inputs) {
    std::ranges::transform(sources, sources.begin(), renamed);
    inputs[renamed(name)] = std::move(sources);
  }
  model.inputs = std::move(inputs);
  std::set<std::string> frozen;
  for (const std::string& name : model.frozen) {  // of a layer, or of its tensor
    const std::size_t tensor = names.contains(name) ? name.size() : name.rfind('/');
    frozen.insert(tensor == name.npos ? name
                                      : renamed(name.substr(0, tensor)) + name.substr(tensor));
  }
  model.frozen = std::move(frozen);
  const Weights before = std::move(weights);
  weights = Weights(model);
  for (std::size_t t = 0; t < before.tensors().size(); ++t) {
    std::ranges::copy(before.values(before.tensors()[t]),
                      weights.values(weights.tensors()[t]).begin());
  }
}

void rename_layers(SavedModel& saved) {
  rename_layers(saved.model, saved.weights);
}

void rename_layers(SavedMixture& saved) {
  rename_layers(saved.model.baseline, saved.weights.baseline);
  rename_layers(saved.model.gate, saved.weights.gate);
  for (std::size_t b = 0; b < saved.model.branches.size(); ++b) {
    Mixture::Branch& branch = saved.model.branches[b];
    rename_layers(branch.expert, saved.weights.experts[b]);
    rename_layers(branch.importance, saved.weights.importances[b]);
  }
}

}  // namespace

AnyModel with_keras_names(const AnyModel& model) {
  AnyModel named = model;
  std::visit([](auto& saved) { rename_layers(saved); }, named);
  return named;
}

}  // namespace sluice
