#pragma once

#include "data/subset.h"
#include "sluice/dataset.h"

namespace sluice {

/// Draws pictures for machines without network: ten classes with the names and the label order of
/// CIFAR-10, (32, 32, 3), simple figures on varying backgrounds. They are not photographs; they
/// replace CIFAR-10 so that every stage of an experiment runs and gives meaningful figures.
///
/// 0 asks for all: 50,000 to train and 10,000 to test. Picture i of a split depends only on the
/// split and i, so a smaller set is the beginning of a larger one, on any number of threads. The
/// classes are shuffled and as balanced as the count allows. Throws Error (user) for a negative
/// count. With Halves::test, `train` stays empty.
Dataset draw_builtin(int train_images, int test_images, Halves halves = Halves::both);

}  // namespace sluice
