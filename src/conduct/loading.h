#pragma once

#include "sluice/lab/run.h"

namespace sluice {

/// Returns the observer's callbacks for loading, which also throw Stopped if the observer wants to
/// stop.
DataEvents stoppable(RunObserver& observer);

}  // namespace sluice
