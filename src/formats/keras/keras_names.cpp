#include "formats/keras/keras_names.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/fail.h"
#include "formats/text/json_text.h"
#include "graph/layer_types.h"
#include "graph/unrouted.h"

namespace sluice {

namespace {

constexpr const char* kLayerNames = "layer_names";

using NewNames = std::map<std::string, std::string>;  ///< by the names before

struct Part {
  Sequential* model;
  Weights* weights;
};

/// In the order of Mixture::parts().
std::vector<Part> parts_of(AnyModel& model) {
  if (auto* network = std::get_if<SavedModel>(&model))
    return {{&network->model, &network->weights}};
  auto& [mixture, weights, class_names, groups, resize, exif] = std::get<SavedMixture>(model);
  std::vector<Sequential*> models{&mixture.baseline, &mixture.gate};
  for (Mixture::Branch& branch : mixture.branches) models.push_back(&branch.expert);
  for (Mixture::Branch& branch : mixture.branches) models.push_back(&branch.importance);
  std::vector<Part> parts;
  for (std::size_t p = 0; p < models.size(); ++p) parts.push_back({models[p], weights.parts()[p]});
  return parts;
}

/// Names for the layers that need another.
NewNames keras_names(const Sequential& model) {
  std::set<std::string> taken;
  for (const Layer& layer : model.layers) taken.insert(name_of(layer));
  NewNames names;
  for (const Layer& layer : model.layers) {
    if (name_of(layer).find('.') == std::string::npos) continue;
    std::string plain = name_of(layer);
    std::ranges::replace(plain, '.', '_');
    std::string name = plain;
    for (int n = 2; !taken.insert(name).second; ++n) name = fmt::format("{}_{}", plain, n);
    names[name_of(layer)] = name;
  }
  return names;
}

void rename_layers(const Part& part, const NewNames& names) {
  if (names.empty()) return;
  Sequential& model = *part.model;
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
    const std::size_t end =
        names.contains(name) ? name.size() : std::min(name.rfind('/'), name.size());
    frozen.insert(renamed(name.substr(0, end)) + name.substr(end));
  }
  model.frozen = std::move(frozen);
  const Weights before = std::move(*part.weights);
  *part.weights = Weights(model);
  for (std::size_t t = 0; t < before.tensors().size(); ++t) {
    std::ranges::copy(before.values(before.tensors()[t]),
                      part.weights->values(part.weights->tensors()[t]).begin());
  }
}

}  // namespace

NamedForKeras with_keras_names(const AnyModel& model) {
  NamedForKeras named{model, notes_of(model)};
  if (auto* saved = std::get_if<SavedModel>(&named.model)) {
    std::tie(saved->model, saved->weights) = unrouted(saved->model, saved->weights);
  }
  nlohmann::ordered_json before = nlohmann::ordered_json::array();
  bool any = false;
  for (const Part& part : parts_of(named.model)) {
    const NewNames names = keras_names(*part.model);
    rename_layers(part, names);
    before.push_back(nlohmann::ordered_json::object());
    for (const auto& [own, name] : names) before.back()[name] = own;
    any |= !names.empty();
  }
  if (any) named.notes[kLayerNames] = before.dump();
  return named;
}

void take_layer_names(const ModelNotes& notes, AnyModel& model, const std::string& place) {
  const auto found = notes.find(kLayerNames);
  if (found == notes.end()) return;
  const std::string where = fmt::format("{}: {}", place, kLayerNames);
  const nlohmann::json lists = parse_json(found->second, 2, "keras", where);
  const std::vector<Part> parts = parts_of(model);
  bool fits = lists.is_array() && lists.size() == parts.size();
  for (std::size_t p = 0; fits && p < parts.size(); ++p) {
    NewNames names;
    std::set<std::string> own;
    fits = lists[p].is_object();
    if (!fits) break;
    for (const auto& [name, before] : lists[p].items()) {
      if (before.is_string()) names[name] = before.get<std::string>();
    }
    for (const Layer& layer : parts[p].model->layers) {
      const auto renamed = names.find(name_of(layer));
      own.insert(renamed == names.end() ? name_of(layer) : renamed->second);
    }
    fits = names.size() == lists[p].size() && own.size() == parts[p].model->layers.size();
    if (fits) rename_layers(parts[p], names);
  }
  if (!fits) throw user_error("keras", "{}: they do not fit the model's layers", where);
}

}  // namespace sluice
