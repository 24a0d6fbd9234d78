#pragma once

#include <cstdint>
#include <filesystem>

#include "sluice/lab/lab.h"

namespace sluice {

/// Returns the peak size in bytes of a run's folder: the models so far, the weights of finished
/// stages, and three checkpoints of the current stage (two kept, one being written), each with
/// the optimizer's state; `parallel` stages beside the mixture's are current at a time.
/// Predictions, report and pictures are estimated.
std::uint64_t peak_disk_bytes(const Lab& lab, const LabOptions& options, int parallel);

/// Returns the bytes of the files in a folder; 0 if it does not exist.
std::uint64_t bytes_in(const std::filesystem::path& folder);

/// Throws Error (machine), with the whole need, if the disk of the run's folder has less space than
/// the run still needs.
void require_disk(const std::filesystem::path& folder, const Lab& lab, const LabOptions& options,
                  int parallel);

}  // namespace sluice
