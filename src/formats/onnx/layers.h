#pragma once

#include <string>

#include "formats/onnx/graph_writer.h"
#include "sluice/network.h"

namespace sluice {

/// Adds the layers of a model, whose input is the value `input` in Keras's order, and returns its
/// output, in Keras's order too. Names start with `prefix`: "" or "baseline/". Dropout does nothing
/// in prediction and is left out. Throws Error (user) where layers do not fit.
std::string add_layers(OnnxGraph& graph, const std::string& input, const std::string& prefix,
                       const Sequential& model, const Weights& weights);

}  // namespace sluice
