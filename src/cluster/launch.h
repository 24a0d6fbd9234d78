#pragma once

#include <memory>

#include "cluster/wire.h"

namespace sluice {

/// What the launcher (mpirun, srun) gave this process: its number, and that of all; 0 without one.
int launched_rank();
int launched_ranks();

/// Joins the ranks of the launcher that started this process (mpirun, srun), by the module that was
/// built with MPI. Returns null if there was none, or it started one rank alone. Throws Error
/// (machine) if the module is missing or does not load.
std::unique_ptr<Wire> join_ranks();

}  // namespace sluice
