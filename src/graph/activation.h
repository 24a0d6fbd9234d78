#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/layers.h"

namespace sluice {

/// Keras's name: "relu"
const char* word_of(Activation activation);

/// The activation of that name, also of one of Keras's older names: "swish", "hard_swish".
std::optional<Activation> activation_of(std::string_view word);

const std::vector<Activation>& all_activations();

/// "linear, relu, softmax, ..."
std::string activation_words();

}  // namespace sluice
