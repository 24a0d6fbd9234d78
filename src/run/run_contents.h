#pragma once

#include <nlohmann/json.hpp>

#include "sluice/lab/run_folder.h"

namespace sluice {

/// Format number of results.json, which changes with its content. Runs of other formats are
/// refused.
constexpr int kResultsFormat = 1;

/// Returns the contents of a finished run for a report: name, results, experiment, gallery, and
/// histories by model and column. Throws Error (user) with the file that is missing, damaged or of
/// another version, or if the run is not finished.
nlohmann::ordered_json contents_of(const RunFolder& run);

}  // namespace sluice
