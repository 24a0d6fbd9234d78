#pragma once

#include <string>

#include "sluice/dataset.h"

namespace sluice {

// Parts of a CIFAR data set; the functions append to `images`, in (32, 32, 3). They throw Error
// (user) with `name` for bytes that are no such part.

/// Adds a batch of Python's form: a pickle of a dict with an array `data` of (N, 3072) and
/// `labels`, or `fine_labels` for 100 classes.
void add_python_batch(std::string_view pickle, const std::string& name, int classes,
                      LabelledImages& images);

/// Adds a batch of the binary form: records of the label (for 100 classes the coarse and the fine
/// one) and 3,072 pixels.
void add_binary_batch(std::string_view records, const std::string& name, int classes,
                      LabelledImages& images);

}  // namespace sluice
