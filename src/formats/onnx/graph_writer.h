#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "sluice/shape.h"

namespace sluice {

/// An ONNX graph being built. Every node has one output, which has the node's name. What a value is
/// called in the end is what the functions return: a name that is taken gets a number.
class OnnxGraph {
 public:
  struct Attribute {
    const char* name;
    std::variant<std::int64_t, float, Shape> value;
  };

  /// `outputs` are names that nothing but add_output() gets, whatever a layer is called.
  OnnxGraph(onnx::GraphProto& graph, std::set<std::string> outputs)
      : graph_(graph), names_(std::move(outputs)) {}

  /// A branch of a graph's If: it may use the outer graph's values and gets other names.
  OnnxGraph(onnx::GraphProto& graph, const OnnxGraph& outer)
      : graph_(graph), names_(outer.names_) {}

  /// Float of (batch, shape...), where batch may be any number.
  std::string add_input(const std::string& name, const Shape& shape);
  std::string add_node(const std::string& name, const char* op,
                       const std::vector<std::string>& inputs,
                       const std::vector<Attribute>& attributes = {});
  /// Computes one of two branches by a condition. Each returns its value, (batch, shape...).
  std::string add_if(const std::string& name, const std::string& condition, const Shape& shape,
                     const std::function<std::string(OnnxGraph&)>& then_branch,
                     const std::function<std::string(OnnxGraph&)>& else_branch);
  std::string add_tensor(const std::string& name, const Shape& shape,
                         std::span<const float> values);
  /// A list of whole numbers.
  std::string add_tensor(const std::string& name, const std::vector<std::int64_t>& values);
  /// One number, without an axis.
  std::string add_scalar(const std::string& name, std::int64_t value);
  std::string add_scalar(const std::string& name, float value);
  /// Declares `value`, which gets this name, as output of (batch, shape...). The name is one of the
  /// constructor's.
  void add_output(const std::string& name, const std::string& value, int type, const Shape& shape);

  /// A node that makes it (batch, shape...).
  std::string reshape(const std::string& name, const std::string& value, const Shape& shape);

  /// (batch, height, width, channels) as (batch, channels, height, width), the order of ONNX's
  /// convolutions, and back. Of one value it is made once: the parts of a mixture share that of the
  /// images.
  std::string channels_first(const std::string& value);
  std::string channels_last(const std::string& value);

 private:
  std::string unique(const std::string& name);
  onnx::NodeProto& new_node(const std::string& name, const char* op,
                            const std::vector<std::string>& inputs);
  std::string transposed(const std::string& value, const char* order, const Shape& permutation);
  onnx::TensorProto& new_tensor(const std::string& name, int type, const Shape& shape);

  onnx::GraphProto& graph_;
  std::set<std::string> names_;
  std::map<std::string, std::string> transposed_;
};

}  // namespace sluice
