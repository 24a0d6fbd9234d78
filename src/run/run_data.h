#pragma once

#include <optional>
#include <string>

#include "sluice/lab/run_folder.h"

namespace sluice {

// Data of an existing run.

/// Returns the place of a run's data: `named` if not empty, else that in its record, else, without
/// a record, any place of load_data() except drawn pictures. Throws Error (user) if the recorded
/// place does not exist.
DataPlace data_place(const RunFolder& run, const std::optional<DataRecord>& record,
                     const std::string& named, const DataEvents& events);

/// Throws Error (user), after `place`, if early stopping, without a permission, thresholds or
/// a temperature would be chosen by the test images, which are then no independent test.
void require_validation(const LabOptions& lab, bool has_images, const std::string& place);

/// Whether both are of the same training, validation and test images.
bool same_images(const DataRecord& before, const DataRecord& now);

/// Returns for example "runs/lab was trained on pets in /data/pets".
std::string training_in_words(const RunFolder& run, const DataRecord& record);

}  // namespace sluice
