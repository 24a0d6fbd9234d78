#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/onnx/constant.h"
#include "formats/onnx/file_reader.h"
#include "formats/onnx/network_builder.h"
#include "formats/onnx/node_reader.h"
#include "formats/onnx/value.h"
#include "sluice/exchange.h"

namespace sluice {

/// Translates the graph of an ONNX file into layers, node by node in the file's order. Images have
/// their channels first in ONNX and last in Sluice: a value knows which of its axes is which, so
/// that a Transpose is no layer, and a Flatten of other axes changes the rows of the next dense
/// kernel.
class OnnxGraphReader {
 public:
  /// All must outlive the reader. `bytes` is the file's size, which limits what it may allocate.
  OnnxGraphReader(const OnnxModel& file, const OnnxOptions& options, std::size_t bytes,
                  const std::string& place);

  SavedModel read();

 private:
  using Read = OnnxValue (OnnxGraphReader::*)(const NodeReader&);
  static const std::map<std::string_view, Read>& readers();

  // graph_reader.cpp
  void read_input();
  void apply(const PixelInput& pixels, OnnxValue& images) const;
  void read_node(const NodeReader& node);
  bool fold(const NodeReader& node);
  OnnxConstant shape_of(const NodeReader& node);
  SavedModel finish();
  /// A constant, decoded; nullptr for a value that depends on the image.
  const OnnxConstant* constant(std::string_view name);
  /// The constant of an input that must be one.
  const OnnxConstant& constant_input(const NodeReader& node, std::size_t index);
  void spend(std::size_t values);
  const OnnxValue& value(const NodeReader& node, std::size_t index) const;
  void say(const std::string& line) const;

  // graph_reader_arithmetic.cpp: values whose scale, offset and function are not layers yet
  /// The result of an input's layer, after all that is applied to it became layers.
  const OnnxValue& layer_value(const NodeReader& node, std::size_t index);
  OnnxValue as_layers(const NodeReader& node, OnnxValue value);
  OnnxValue affine(const NodeReader& node, const OnnxValue& value, const std::vector<double>& scale,
                   const std::vector<double>& offset);
  std::vector<double> for_channels(const NodeReader& node, const OnnxValue& value,
                                   const OnnxConstant& constant) const;
  OnnxValue read_arithmetic(const NodeReader& node);
  OnnxValue read_negative(const NodeReader& node);
  OnnxValue merged(const NodeReader& node);
  bool gated(const OnnxValue& x, const OnnxValue& gate, OnnxValue& result) const;
  OnnxValue read_sum(const NodeReader& node);
  /// The first input with a function that may become part of a larger one.
  OnnxValue with_function(const NodeReader& node, OnnxFunction function);
  OnnxValue read_function(const NodeReader& node);
  OnnxValue read_hard_sigmoid(const NodeReader& node);
  OnnxValue read_tanh(const NodeReader& node);
  OnnxValue read_erf(const NodeReader& node);
  OnnxValue read_clip(const NodeReader& node);
  OnnxValue read_greater(const NodeReader& node);
  OnnxValue read_where(const NodeReader& node);

  // graph_reader_layers.cpp
  OnnxValue activation(const NodeReader& node, Activation function);
  OnnxValue read_relu(const NodeReader& node);
  OnnxValue read_leaky_relu(const NodeReader& node);
  OnnxValue read_elu(const NodeReader& node);
  OnnxValue read_other_activation(const NodeReader& node);
  OnnxValue read_softmax(const NodeReader& node);
  OnnxValue read_convolution(const NodeReader& node);
  OnnxValue read_dense(const NodeReader& node);
  OnnxValue read_batch_normalization(const NodeReader& node);
  OnnxValue read_pool(const NodeReader& node);
  OnnxValue read_global_pool(const NodeReader& node);
  OnnxValue read_reduction(const NodeReader& node);
  OnnxValue global_pool(const NodeReader& node, const OnnxValue& image, bool mean,
                        std::vector<int> axes);

  // graph_reader_shapes.cpp
  /// An input as an image with its channels first in ONNX.
  OnnxValue image(const NodeReader& node, std::size_t index);
  OnnxValue vector(const NodeReader& node, const OnnxValue& value);
  /// All inputs of a node that merges them; vectors have one axis in Sluice, too.
  std::vector<OnnxValue> merged_values(const NodeReader& node);
  OnnxValue reshaped(const NodeReader& node, const OnnxValue& value, const Shape& dims);
  OnnxValue padded(const NodeReader& node, const OnnxValue& image, int top, int bottom, int left,
                   int right);
  OnnxValue read_same(const NodeReader& node);
  OnnxValue read_dropout(const NodeReader& node);
  OnnxValue read_cast(const NodeReader& node);
  OnnxValue read_flatten(const NodeReader& node);
  OnnxValue read_reshape(const NodeReader& node);
  OnnxValue read_squeeze(const NodeReader& node);
  OnnxValue read_transpose(const NodeReader& node);
  OnnxValue read_concat(const NodeReader& node);
  OnnxValue read_pad(const NodeReader& node);

  const OnnxModel& file_;
  const OnnxOptions& options_;
  const std::string& place_;
  std::size_t left_;  ///< values that constants and weights may still have
  NetworkBuilder network_{Shape{}};
  std::string_view input_;
  std::int64_t batch_ = -1;  ///< of the input; -1 if it is open
  std::map<std::string_view, const OnnxTensor*> tensors_;
  std::map<std::string_view, OnnxConstant> constants_;
  std::map<std::string_view, OnnxValue> values_;
  std::map<std::string_view, int> uses_;  ///< number of nodes and outputs that take a value
  std::vector<std::string> left_out_;     ///< "'drop' (Dropout)"
};

}  // namespace sluice
