#pragma once

#include <optional>
#include <string>

#include "formats/keras/stored.h"
#include "formats/safetensors/safetensors.h"
#include "sluice/mixture.h"

namespace sluice {

/// Which of the lab's models weights alone belong to. Their number tells the kind, the last bias
/// the classes; that all shapes fit is fill_weights()'s to check. Nothing if it is none.
std::optional<Sequential> recognize(const StoredModel& stored, const Safetensors& tensors,
                                    const Shape& input, const std::string& name);

/// The layers that have weights, in their order.
std::vector<const StoredLayer*> weighted_layers(const StoredModel& stored);

/// The layers of a model for messages: "Conv2D 32 relu, MaxPooling2D, Flatten, Dense 10 softmax".
std::string in_words(const Sequential& model);

/// What a stored model looks like: "CNN with 10 outputs".
std::string in_words(const StoredModel& stored, const Safetensors& tensors);

}  // namespace sluice
