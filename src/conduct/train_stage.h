#pragma once

#include "sluice/lab/run_folder.h"

namespace sluice {

/// Trains the network of a stage on the calling thread, as Lab::train() does. The stage needs no
/// result of another one. `data` are the images of the experiment, whose groups are known if the
/// network depends on them.
TrainedModel train_stage(const Experiment& experiment, const Dataset& data, const Stage& stage,
                         FitObserver& observer);

}  // namespace sluice
