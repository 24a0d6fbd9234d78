#pragma once

#include <string>

#include "formats/keras/config_reader.h"
#include "formats/keras/stored.h"
#include "formats/safetensors/safetensors.h"

namespace sluice {

/// The weights of a model that a configuration declares, layer by layer by its group or name.
/// Nothing is allocated before every shape was found to be the file's. Gives every adapted
/// Normalization its mean and variance. Throws Error (user) naming the layer and both shapes.
Weights fill_weights(DeclaredModel& declared, const StoredModel& stored, const Safetensors& tensors,
                     const std::string& place);

/// The same for a model that was recognised: its layers with weights are the file's in order.
Weights fill_weights(const Sequential& model, const StoredModel& stored, const Safetensors& tensors,
                     const std::string& place);

}  // namespace sluice
