#pragma once

#include <map>
#include <string>

#include "sluice/model_file.h"

namespace sluice {

/// Notes of a model in a file beside layers and weights, as JSON by key: "class_names",
/// "normalization", for a mixture "groups", and "resize" if it is not "stretch" and
/// "exif_orientation" if it is false. They are the same in safetensors, Keras and ONNX files.
using ModelNotes = std::map<std::string, std::string>;

/// Returns the notes of a model, without class names or groups if it has none.
ModelNotes notes_of(const AnyModel& model);

/// Adds notes to their model; class names and groups may be missing. Throws Error (user), starting
/// with `place`, if a note is not JSON of its form or does not fit the model.
void take_notes(const ModelNotes& notes, AnyModel& model, const std::string& place);

/// Throws Error (user), starting with `place`, if the model has class names but not one for each
/// output, or groups but not one for each branch.
void require_notes_fit(const AnyModel& model, const std::string& place);

/// Returns only the groups, which a mixture is built from; empty if the notes have none.
std::vector<Groups::Group> groups_in(const ModelNotes& notes, const std::string& place);

}  // namespace sluice
