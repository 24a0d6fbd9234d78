#pragma once

#include <string>
#include <vector>

#include "formats/keras/config_writer.h"

namespace sluice {

/// A layer of a Keras model that is a graph ("Functional").
struct KerasNode {
  std::string name;
  std::string class_name;
  KerasJson object;                 ///< as in config.json, without its place in the graph
  Shape output;                     ///< without the batch
  std::vector<std::string> inputs;  ///< names of nodes
  bool takes_list = false;          ///< its inputs are one argument, as of Add and Multiply
  const Sequential* part = nullptr;
};

/// The nodes, of which the last is the output, in the order of model.layers in Keras.
std::vector<KerasNode> in_keras_order(const std::vector<KerasNode>& nodes);

/// The model of such a graph for config.json.
KerasJson functional_config(const std::string& name, const std::vector<KerasNode>& nodes);

/// A network as Keras builds it: its layers in the order of model.layers, "images" first.
std::vector<KerasNode> network_nodes(const Sequential& model);

/// A keras.Sequential where the network is a chain, else a functional model.
KerasJson model_config(const Sequential& model);

}  // namespace sluice
