#include "formats/onnx/graph_writer.h"

#include <fmt/format.h>

#include <utility>

#include "base/text.h"

namespace sluice {
namespace {

void set_tensor_type(onnx::ValueInfoProto& value, const std::string& name, int type,
                     const Shape& shape) {
  value.set_name(name);
  onnx::TypeProto::Tensor& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  tensor.mutable_shape()->add_dim()->set_dim_param("batch");
  for (const std::int64_t size : shape) tensor.mutable_shape()->add_dim()->set_dim_value(size);
}

}  // namespace

std::string OnnxGraph::add_input(const std::string& name, const Shape& shape) {
  const std::string value = unique(name);
  set_tensor_type(*graph_.add_input(), value, onnx::TensorProto::FLOAT, shape);
  return value;
}

std::string OnnxGraph::add_node(const std::string& name, const char* op,
                                const std::vector<std::string>& inputs,
                                const std::vector<Attribute>& attributes) {
  onnx::NodeProto& node = new_node(unique(name), op, inputs);
  for (const Attribute& from : attributes) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(from.name);
    if (const auto* number = std::get_if<std::int64_t>(&from.value)) {
      attribute.set_type(onnx::AttributeProto::INT);
      attribute.set_i(*number);
    } else if (const auto* real = std::get_if<float>(&from.value)) {
      attribute.set_type(onnx::AttributeProto::FLOAT);
      attribute.set_f(*real);
    } else {
      attribute.set_type(onnx::AttributeProto::INTS);
      for (const std::int64_t size : std::get<Shape>(from.value)) attribute.add_ints(size);
    }
  }
  return node.name();
}

std::string OnnxGraph::add_if(const std::string& name, const std::string& condition,
                              const Shape& shape,
                              const std::function<std::string(OnnxGraph&)>& then_branch,
                              const std::function<std::string(OnnxGraph&)>& else_branch) {
  onnx::NodeProto& node = new_node(unique(name), "If", {condition});
  for (const auto& [branch, build] :
       {std::pair{"then_branch", &then_branch}, {"else_branch", &else_branch}}) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(branch);
    attribute.set_type(onnx::AttributeProto::GRAPH);
    onnx::GraphProto& graph = *attribute.mutable_g();
    graph.set_name(node.name() + "/" + branch);
    OnnxGraph inner(graph, *this);
    const std::string output = inner.unique(graph.name());
    inner.add_output(output, (*build)(inner), onnx::TensorProto::FLOAT, shape);
  }
  return node.name();
}

std::string OnnxGraph::add_tensor(const std::string& name, const Shape& shape,
                                  std::span<const float> values) {
  onnx::TensorProto& tensor = new_tensor(name, onnx::TensorProto::FLOAT, shape);
  // Little endian, as safetensors.cpp asserts that this machine is.
  tensor.set_raw_data(values.data(), values.size_bytes());
  return tensor.name();
}

std::string OnnxGraph::add_tensor(const std::string& name,
                                  const std::vector<std::int64_t>& values) {
  onnx::TensorProto& tensor =
      new_tensor(name, onnx::TensorProto::INT64, {static_cast<std::int64_t>(values.size())});
  for (const std::int64_t value : values) tensor.add_int64_data(value);
  return tensor.name();
}

std::string OnnxGraph::add_scalar(const std::string& name, std::int64_t value) {
  onnx::TensorProto& tensor = new_tensor(name, onnx::TensorProto::INT64, {});
  tensor.add_int64_data(value);
  return tensor.name();
}

std::string OnnxGraph::add_scalar(const std::string& name, float value) {
  return add_tensor(name, Shape{}, std::span(&value, 1));
}

void OnnxGraph::add_output(const std::string& name, const std::string& value, int type,
                           const Shape& shape) {
  // No Identity node: ONNX's version converter has no adapter for it.
  bool renamed = false;
  for (onnx::NodeProto& node : *graph_.mutable_node()) {
    for (std::string& input : *node.mutable_input()) {
      if (input == value) input = name;
    }
    if (node.output(0) != value) continue;
    node.set_name(name);
    node.set_output(0, name);
    renamed = true;
  }
  if (!renamed) new_node(name, "Identity", {value});  // the input itself
  set_tensor_type(*graph_.add_output(), name, type, shape);
}

std::string OnnxGraph::reshape(const std::string& name, const std::string& value,
                               const Shape& shape) {
  Shape target = shape;
  target.insert(target.begin(), 0);  // ONNX's word for "as it was": the batch
  return add_node(name, "Reshape", {value, add_tensor(name + "/target", target)});
}

std::string OnnxGraph::channels_first(const std::string& value) {
  return transposed(value, "/channels_first", {0, 3, 1, 2});
}

std::string OnnxGraph::channels_last(const std::string& value) {
  return transposed(value, "/channels_last", {0, 2, 3, 1});
}

onnx::NodeProto& OnnxGraph::new_node(const std::string& name, const char* op,
                                     const std::vector<std::string>& inputs) {
  onnx::NodeProto& node = *graph_.add_node();
  node.set_name(name);
  node.set_op_type(op);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(name);
  return node;
}

std::string OnnxGraph::transposed(const std::string& value, const char* order,
                                  const Shape& permutation) {
  std::string& result = transposed_[value + order];
  if (result.empty()) {
    result = add_node(value + order, "Transpose", {value}, {{"perm", permutation}});
  }
  return result;
}

onnx::TensorProto& OnnxGraph::new_tensor(const std::string& name, int type, const Shape& shape) {
  onnx::TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(unique(name));
  tensor.set_data_type(type);
  for (const std::int64_t size : shape) tensor.add_dims(size);
  return tensor;
}

std::string OnnxGraph::unique(const std::string& name) {
  const std::string clean = printable(name);  // protobuf's texts are UTF-8
  std::string result = clean;
  for (int n = 2; !names_.insert(result).second; ++n) result = fmt::format("{}_{}", clean, n);
  return result;
}

}  // namespace sluice
