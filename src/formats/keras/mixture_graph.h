#pragma once

#include <string>
#include <vector>

#include "formats/keras/functional.h"
#include "sluice/mixture.h"

namespace sluice {

/// A mixture made of Keras's standard layers, in the order of model.layers in Keras. The last node
/// is the output. It refers to the mixture's parts.
///
/// The layers do what chosen_group() does: from group to group they keep the best gate output so
/// far and what the sub-gates give for it, so that of equal ones the last wins. "Is greater" is the
/// difference, made so large that any but zero is beyond 1, and cut off at 0 and 1. No layer of
/// these has weights, and each works value by value, so that no matrix product's precision bears on
/// the choice.
std::vector<KerasNode> mixture_graph(const Mixture& model);

/// The name of a sub-gate's layer, which tells the group's place among the gate's outputs even
/// where Keras has written the file again.
std::string sub_gate_name(std::size_t index, const std::string& group);

}  // namespace sluice
