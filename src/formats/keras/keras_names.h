#pragma once

#include <string>

#include "formats/model/model_notes.h"
#include "sluice/model_file.h"

namespace sluice {

struct NamedForKeras {
  AnyModel model;
  ModelNotes notes;  ///< of the model, with "layer_names": for each part, {"new name": "own name"}
};

/// The model as Keras can hold it: unrouted(), with names of layers that every backend of Keras
/// takes: '.', which PyTorch's does not, becomes '_', and a number makes names differ.
NamedForKeras with_keras_names(const AnyModel& model);

/// Gives layers the names that the notes say they had. Throws Error (user), starting with `place`,
/// where the notes do not fit the model.
void take_layer_names(const ModelNotes& notes, AnyModel& model, const std::string& place);

}  // namespace sluice
