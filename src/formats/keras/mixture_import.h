#pragma once

#include "formats/keras/container.h"
#include "sluice/exchange.h"

namespace sluice {

/// Whether nested models of a file are said to be a mixture's parts: by their names, by the options
/// or by Sluice's own notes.
bool has_parts(const KerasFile& file, const KerasOptions& options);

/// A mixture from the nested models of a file. Throws Error (user) where the file's operations are
/// not the lab's formula.
SavedMixture import_mixture(const KerasFile& file, const KerasOptions& options);

/// A model of a file, or one nested in it, by its configuration or, where that has no layers,
/// recognised.
SavedModel import_part(const KerasFile& file, const StoredModel& stored,
                       const nlohmann::json& config, const std::string& name,
                       const KerasOptions& options, const std::string& place);

}  // namespace sluice
