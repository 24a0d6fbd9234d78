#pragma once

#include "sluice/model_file.h"

namespace sluice {

/// The model with names of layers that every backend of Keras takes: '.', which PyTorch's does not,
/// and '/' become '_', and a number makes names differ.
AnyModel with_keras_names(const AnyModel& model);

}  // namespace sluice
