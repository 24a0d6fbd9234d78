#pragma once

#include <functional>
#include <string>

#include "sluice/model_file.h"

namespace sluice {

/// What a network's outputs mean, by the activation of its end.
enum class OutputMeaning { probabilities, independent, logits, unknown };
OutputMeaning output_meaning(const Sequential& model);

/// Makes a network from another program give a probability for each class: logits get a softmax,
/// and a single probability or logit becomes two classes, of which it is the second's. Says what
/// it changes. Leaves outputs of two axes (importance models) as they are. Throws Error (user),
/// starting with `place`, for outputs that are neither, and for a softmax of one unit.
void give_probabilities(SavedModel& saved, const std::string& place,
                        const std::function<void(const std::string&)>& say);

}  // namespace sluice
