#include "formats/keras/import.h"

#include "base/fail.h"
#include "base/text.h"
#include "formats/import/pixel_range.h"
#include "formats/import/probabilities.h"
#include "formats/keras/fill_weights.h"
#include "formats/keras/keras_names.h"
#include "formats/keras/mixture_import.h"
#include "formats/keras/recognize.h"
#include "formats/model/model_check.h"
#include "formats/model/model_notes.h"

namespace sluice {

namespace {

void say(const KerasOptions& options, const std::string& line) {
  if (options.say) options.say(line);
}

/// Why a configuration does not tell the layers.
std::string without_layers(const nlohmann::json& config) {
  const std::string type = text_in(config, "class_name");
  if (type.empty()) return "has weights alone";
  return fmt::format("is a subclassed model ({}), whose layers only its Python code tells",
                     one_line(type));
}

}  // namespace

SavedModel import_part(const KerasFile& file, const StoredModel& stored,
                       const nlohmann::json& config, const std::string& name,
                       const KerasOptions& options, const std::string& place) {
  if (is_model_config(config)) {
    DeclaredModel declared =
        read_declared(config, place, {.keras_2 = file.keras_2, .pixels = options.pixels});
    Weights weights = fill_weights(declared, stored, file.tensors, place);
    if (!name.empty()) declared.model.name = name;
    for (const std::string& remark : declared.remarks) say(options, remark);
    return {std::move(declared.model), std::move(weights), {}};
  }
  std::optional<Sequential> model = recognize(stored, file.tensors, options.input, name);
  if (!model) {
    throw user_error("keras",
                     "{} {}; its {} layers with weights are those of none of the lab's models: "
                     "save a Sequential or Functional model as a .keras file",
                     place, without_layers(config), weighted_layers(stored).size());
  }
  Weights weights = fill_weights(*model, stored, file.tensors, place);
  say(options,
      fmt::format("{} {}: they are taken for the lab's: {}; where activations or pools are others, "
                  "save a Sequential or Functional model as a .keras file",
                  place, without_layers(config), in_words(*model)));
  if (options.pixels) {
    const std::vector<Layer> first = layers_of_input(*options.pixels, options.input, place);
    model->layers.insert(model->layers.begin(), first.begin(), first.end());
  }
  return {std::move(*model), std::move(weights), {}};
}

namespace {

SavedModel import_network(const KerasFile& file, const KerasOptions& options) {
  const std::string name = is_model_config(file.config) ? "" : "model";
  SavedModel saved = import_part(file, file.stored, file.config, name, options, file.place);
  if (saved.model.name.empty()) saved.model.name = "model";
  if (file.notes.empty()) give_probabilities(saved, file.place, options.say);
  return saved;
}

/// Nested models may be parts of a mixture or of one network.
AnyModel import_nested(const KerasFile& file, const KerasOptions& options) {
  if (has_parts(file, options) || !is_model_config(file.config)) {
    return import_mixture(file, options);
  }
  try {
    return import_network(file, options);
  } catch (const Error&) {
    // Six models and more that are no network are perhaps a mixture whose parts have other names.
    constexpr std::size_t kFewestParts = 6;
    if (file.stored.models.size() < kFewestParts) throw;
  }
  return import_mixture(file, options);
}

}  // namespace

AnyModel import_keras(const KerasFile& file, const KerasOptions& options) {
  AnyModel model = file.stored.models.empty() ? AnyModel(import_network(file, options))
                                              : import_nested(file, options);
  if (!file.notes.empty()) {
    take_notes(file.notes, model, file.place);
    take_layer_names(file.notes, model, file.place);
  }
  require_sound(model, file.place);  // what is accepted here, every verb accepts in a file of ours
  return model;
}

AnyModel import_keras(const std::filesystem::path& path, const KerasOptions& options) {
  return import_keras(read_keras_file(path), options);
}

}  // namespace sluice
