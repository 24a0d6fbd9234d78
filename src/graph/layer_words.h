#pragma once

#include <string>

#include "sluice/layers.h"

namespace sluice {

// Keras's words for layers, which files are made of.

const std::string& name_of(const Layer& layer);

/// "Conv2D"
const char* class_name_of(const Layer& layer);

/// "linear", "relu" or "softmax"
const char* word_of(Activation activation);

}  // namespace sluice
