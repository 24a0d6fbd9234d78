#pragma once

#include <string>

#include "formats/onnx/graph_writer.h"
#include "graph/operation.h"

namespace sluice {

/// Adds the nodes of an activation other than linear and returns their value. Where ONNX has no
/// operator of that name in opset 13, it is made of several.
std::string add_activation(OnnxGraph& graph, const std::string& name, const std::string& value,
                           const operation::Activate& activate);

}  // namespace sluice
