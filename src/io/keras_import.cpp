#include "io/keras_import.h"

#include "base/fail.h"
#include "base/text.h"
#include "io/keras_fill.h"
#include "io/keras_mixture_import.h"
#include "io/keras_recognize.h"
#include "io/model_check.h"
#include "io/model_notes.h"

namespace sluice {

SavedModel import_part(const KerasFile& file, const StoredModel& stored,
                       const nlohmann::json& config, const Shape& input, const std::string& name,
                       const std::string& place) {
  if (is_model_config(config)) {
    DeclaredModel declared = read_declared(config, place);
    Weights weights = fill_weights(declared, stored, file.tensors, place);
    if (!name.empty()) declared.model.name = name;
    return {std::move(declared.model), std::move(weights), {}};
  }
  const std::optional<Sequential> model = recognize(stored, file.tensors, input, name);
  if (!model) {
    throw user_error("keras",
                     "{} has weights alone, {} layers of them, of none of the lab's models: save "
                     "the whole model, as a .keras file",
                     place, weighted_layers(stored).size());
  }
  Weights weights = fill_weights(*model, stored, file.tensors, place);
  return {*model, std::move(weights), {}};
}

namespace {

SavedModel import_network(const KerasFile& file, const KerasOptions& options) {
  const std::string name = is_model_config(file.config) ? "" : "model";
  SavedModel saved = import_part(file, file.stored, file.config, options.input, name, file.place);
  if (saved.model.name.empty()) saved.model.name = "model";
  return saved;
}

}  // namespace

AnyModel import_keras(const KerasFile& file, const KerasOptions& options) {
  AnyModel model = file.stored.models.empty() ? AnyModel(import_network(file, options))
                                              : AnyModel(import_mixture(file, options));
  if (!file.notes.empty()) take_notes(file.notes, model, file.place);
  require_finite(model, file.place);
  return model;
}

AnyModel import_keras(const std::filesystem::path& path, const KerasOptions& options) {
  return import_keras(read_keras_file(path), options);
}

}  // namespace sluice
