#pragma once

#include <optional>
#include <string>

#include "sluice/lab/run_folder.h"

namespace sluice {

// The data of a run that is there already.

/// Where it is looked for: where the user says, else where the run was trained on it, else, for a
/// run that does not say where, wherever load_data() looks; drawn pictures never stand in. Throws
/// Error (user) if the place that the run remembers is gone.
DataPlace data_place(const RunFolder& run, const std::optional<DataRecord>& record,
                     const std::string& named, const DataEvents& events);

/// "runs/lab was trained on pets in /data/pets".
std::string training_in_words(const RunFolder& run, const DataRecord& record);

}  // namespace sluice
