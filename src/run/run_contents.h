#pragma once

#include <nlohmann/json.hpp>

#include "sluice/lab/run_folder.h"

namespace sluice {

/// Of results.json: another number where what it says changes. Runs of others are not reported.
constexpr int kResultsFormat = 1;

/// What a finished run's files say, for a report: name, results, experiment, gallery, and histories
/// by model, column by column. Throws Error (user) naming the file that is missing, damaged or
/// of another version, or a run that did not finish.
nlohmann::ordered_json contents_of(const RunFolder& run);

}  // namespace sluice
