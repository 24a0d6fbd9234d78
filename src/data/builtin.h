#pragma once

#include "data/subset.h"
#include "sluice/dataset.h"

namespace sluice {

/// Pictures for machines without network: ten classes with the names and the label order of
/// CIFAR-10, (32, 32, 3), simple figures in front of changing backgrounds. They are no photographs;
/// they take the place of CIFAR-10 where every stage of an experiment should run and mean
/// something.
///
/// 0 asks for all: 50,000 to train and 10,000 to test. Picture i of a split depends on the split
/// and i alone, so a smaller set is the beginning of a larger one, on any number of threads. The
/// classes come in a mixed order and as equally often as the count allows.
/// Throws Error (user) for a negative count. Of the test half alone `train` stays empty.
Dataset draw_builtin(int train_images, int test_images, Halves halves = Halves::both);

}  // namespace sluice
