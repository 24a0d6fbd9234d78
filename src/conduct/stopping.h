#pragma once

#include "sluice/lab/run.h"
#include "sluice/network.h"

namespace sluice {

/// Throws Stopped if the observer wants to stop.
void stop_if_wanted(RunObserver& observer);

/// Returns options for inference that can be stopped between batches. Refers to the observer.
CompileOptions stoppable_inference(int batch, Compute compute, RunObserver& observer);

/// Returns the observer's callbacks for loading, which also throw Stopped if the observer wants to
/// stop.
DataEvents stoppable(RunObserver& observer);

}  // namespace sluice
