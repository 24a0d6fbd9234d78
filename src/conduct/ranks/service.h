#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cluster/ranks.h"
#include "sluice/lab/run_folder.h"

namespace sluice {

/// The side of the ranks that are not 0: trains what a Team asks for, until end_service().
void serve(Ranks& ranks);
/// On rank 0.
void end_service(Ranks& ranks);

/// What must be the same on all ranks, so that they compute the same bits: texts by name.
nlohmann::json nature_of_this_process(const Experiment& experiment);

}  // namespace sluice
