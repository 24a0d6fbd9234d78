#pragma once

#include "data/arrays/array_source.h"

namespace sluice {

/// Reads arrays, and divides and samples them by the options: without a test half, a share of the
/// rows by their numbers; of CIFAR-10 the first images, of others a stratified sample. Throws
/// Error.
///
/// Validation images are not split off: see split_validation().
Dataset read_arrays(const ArraySource& source, const DataOptions& options, const DataEvents& events,
                    Halves halves);

/// Moves the share of DataOptions::validation_split of each class from the training images, which
/// have no files, to the validation images.
void split_validation(Dataset& data, const DataOptions& options);

}  // namespace sluice
