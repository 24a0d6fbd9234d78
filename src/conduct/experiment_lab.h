#pragma once

#include <filesystem>

#include "sluice/lab/run_folder.h"

namespace sluice {

/// Returns the lab of an experiment; before its groups are found, that of the baseline alone.
/// Refers to data and groups.
Lab lab_of(const Experiment& experiment, const Dataset& data, const Groups& groups,
           Communicator* ranks = nullptr);

/// Throws Error (user) for a group without an image to train, validate or test its expert, and
/// Error (machine) if the disk of the run's folder has less space than the run still needs with
/// RunOptions::parallel.
void require_images_and_disk(const Experiment& experiment, const Lab& lab, const Groups& groups,
                             const std::filesystem::path& folder, int parallel);

}  // namespace sluice
