#pragma once

#include <map>
#include <string>

#include "sluice/model_file.h"

namespace sluice {

/// What a file says of a model beside its layers and weights, as JSON by key: "class_names",
/// "normalization" and, of a mixture, "groups". The same in safetensors, Keras and ONNX files.
using ModelNotes = std::map<std::string, std::string>;

/// Without class names or groups where the model has none.
ModelNotes notes_of(const AnyModel& model);

/// Puts notes into the model they belong to; class names and groups need not be there. Throws Error
/// (user), starting with `place`, where one is no JSON of its form or does not fit the model.
void take_notes(const ModelNotes& notes, AnyModel& model, const std::string& place);

/// Throws Error (user), starting with `place`, unless there is a class name for each output and a
/// group for each branch, where there are any.
void require_notes_fit(const AnyModel& model, const std::string& place);

/// The groups alone, which a mixture is built by; none where the notes have none.
std::vector<Groups::Group> groups_in(const ModelNotes& notes, const std::string& place);

}  // namespace sluice
