#pragma once

#include <cstdint>
#include <filesystem>

#include "sluice/lab/lab.h"

namespace sluice {

/// Bytes that the folder of a run takes at its peak: the models so far, the weights of finished
/// stages, and three checkpoints of the stage under way (two kept, one being written), each with
/// Adam's moments. Predictions, report and pictures are estimated.
std::uint64_t peak_disk_bytes(const Lab& lab, const LabOptions& options);

/// Bytes of the files in a folder; 0 where it does not exist.
std::uint64_t bytes_in(const std::filesystem::path& folder);

/// Throws Error (machine), with the whole need, where the disk of the run's folder has less room
/// than the run will still take.
void require_disk(const std::filesystem::path& folder, const Lab& lab, const LabOptions& options);

}  // namespace sluice
