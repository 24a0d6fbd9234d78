#pragma once

#include <optional>
#include <string>

#include "sluice/lab/lab.h"
#include "sluice/lab/run_folder.h"

namespace sluice::cli {

// The data of a run that is there already.

/// Where it is looked for: where the user says, else where the run was trained on it, else, for a
/// run that does not say where, wherever load_data() looks; drawn pictures never stand in. Throws
/// Error (user) if the place that the run remembers is gone.
DataPlace data_place(const RunFolder& run, const std::optional<DataRecord>& record,
                     const std::string& named);

/// "runs/lab was trained on pets in /data/pets".
std::string training_in_words(const RunFolder& run, const DataRecord& record);

/// Throws Error (user) for a group without an image to train, validate or test its expert on: told
/// before the baseline is trained.
void require_images_of_each_group(const Lab& lab, const Groups& groups);

}  // namespace sluice::cli
