#include "formats/onnx/graph_reader.h"

#include <algorithm>
#include <optional>

#include "base/fail.h"
#include "base/text.h"
#include "formats/import/pixel_range.h"
#include "graph/wiring.h"

namespace sluice {
namespace {

constexpr std::int64_t kMostPixels = 1 << 16;  ///< of an axis

bool is_quantized(std::string_view op) {
  return op.find("uantize") != op.npos || op.starts_with("QLinear") || op.ends_with("Integer");
}

bool is_control_flow(std::string_view op) {
  return op == "If" || op == "Loop" || op == "Scan";
}

bool is_channels(std::int64_t size) {
  return size == 1 || size == 3;
}

/// "(batch, 3, ?, ?)"
std::string in_words(const Shape& dims) {
  std::string text = "(batch";
  for (std::size_t i = 1; i < dims.size(); ++i) {
    text += dims[i] < 0 ? ", ?" : fmt::format(", {}", dims[i]);
  }
  return text + ")";
}

}  // namespace

OnnxGraphReader::OnnxGraphReader(const OnnxModel& file, const OnnxOptions& options,
                                 std::size_t bytes, const std::string& place)
    : file_(file), options_(options), place_(place), left_(4 * bytes) {
  for (const OnnxTensor& tensor : file.tensors) tensors_[tensor.name] = &tensor;
  for (const OnnxNode& node : file.nodes) {
    for (const std::string_view input : node.inputs) ++uses_[input];
  }
  for (const OnnxValueInfo& output : file.outputs) ++uses_[output.name];
}

SavedModel OnnxGraphReader::read() {
  read_input();
  for (const OnnxNode& node : file_.nodes) read_node(NodeReader(node, place_));
  return finish();
}

void OnnxGraphReader::read_input() {
  const OnnxValueInfo* input = nullptr;
  for (const OnnxValueInfo& each : file_.inputs) {
    if (tensors_.contains(each.name)) continue;
    if (input != nullptr) {
      throw user_error("onnx",
                       "{}: it has several inputs, '{}' and '{}', and Sluice gives it images alone",
                       place_, one_line(input->name), one_line(each.name));
    }
    input = &each;
  }
  if (input == nullptr) throw user_error("onnx", "{}: it has no input", place_);
  input_ = input->name;
  const bool is_bytes = input->type == onnx_type::kUint8;
  if (!is_bytes && !OnnxTensor{"", {}, input->type, {}}.is_real()) {
    throw user_error("onnx", "{}: its input has ONNX's type {}, and Sluice gives images as floats",
                     place_, input->type);
  }
  if (!is_bytes && input->type != onnx_type::kFloat) {
    say("it computes in another precision, Sluice in float32");
  }
  Shape dims = input->dims;
  if (input->is_open || (dims.size() != 4 && dims.size() != 2)) {
    throw user_error(
        "onnx",
        "{}: its input is {}, and Sluice reads networks of images, (batch, channels, "
        "height, width) or (batch, height, width, channels), or of vectors, (batch, n)",
        place_, input->is_open ? "of no shape" : in_words(dims));
  }
  batch_ = dims[0];
  OnnxValue value{kImagesName, {dims[1]}, {0}};
  if (dims.size() == 4) {
    // Where the sizes do not tell, a Transpose of the input does: it makes the channels first.
    const bool is_turned = std::ranges::any_of(file_.nodes, [&](const OnnxNode& node) {
      return node.op == "Transpose" && !node.inputs.empty() && node.inputs[0] == input_;
    });
    const bool first =
        is_channels(dims[1]) == is_channels(dims[3]) ? !is_turned : is_channels(dims[1]);
    Shape open = options_.input;
    open.resize(2, -1);
    std::int64_t& height = dims[first ? 2 : 1];
    std::int64_t& width = dims[first ? 3 : 2];
    if (height < 0 || width < 0) {
      const std::string before = in_words(dims);
      if (height < 0) height = open[0];
      if (width < 0) width = open[1];
      say(fmt::format("its input is {}: images of {}x{} are taken, as the experiment's", before,
                      height, width));
    }
    value.shape = {height, width, dims[first ? 1 : 3]};
    value.axes = first ? kChannelsFirst : std::vector{0, 1, 2};
  }
  for (const std::int64_t size : value.shape) {
    if (size >= 1 && size <= kMostPixels) continue;
    throw user_error("onnx",
                     "{}: its input is {}: Sluice needs all sizes but the batch's, from 1 to {}",
                     place_, in_words(input->dims), kMostPixels);
  }
  if (options_.pixels) {
    apply(*options_.pixels, value);
  } else if (is_bytes) {
    value.scale = {255};  // Sluice gives what it divided by that
  }
  network_ = NetworkBuilder(value.shape);
  values_[input_] = std::move(value);
}

/// Makes of Sluice's images, which are in [0, 1], what the network was trained on.
void OnnxGraphReader::apply(const PixelInput& pixels, OnnxValue& images) const {
  const auto channels = static_cast<std::size_t>(images.shape.back());
  const std::vector<double> mean = of_channels(pixels.mean, 0, channels, place_);
  const std::vector<double> deviation = of_channels(pixels.deviation, 1, channels, place_);
  images.scale.clear();
  images.offset.clear();
  for (std::size_t c = 0; c < channels; ++c) {
    images.scale.push_back((pixels.high - pixels.low) / deviation[c]);
    images.offset.push_back((pixels.low - mean[c]) / deviation[c]);
  }
}

void OnnxGraphReader::read_node(const NodeReader& node) {
  const std::string_view op = node.op();
  const OnnxNode& raw = node.node();
  if (raw.outputs.empty()) node.refuse("has no output");
  const std::string_view name = raw.outputs[0];
  if (values_.contains(name) || constants_.contains(name)) {
    node.refuse("has an output of the name of another");
  }
  if (is_quantized(op)) {
    node.refuse("is quantized; Sluice computes in float32: export the model as it was before that");
  }
  if (is_control_flow(op))
    node.refuse("is control flow, and Sluice computes the same for each image");
  if (!raw.domain.empty() && raw.domain != "ai.onnx") {
    node.refuse(fmt::format("is of the domain {}, and Sluice reads ONNX's own operators",
                            one_line(raw.domain)));
  }
  if (fold(node)) return;
  const auto found = readers().find(op);
  if (found == readers().end()) node.refuse("is no operation that Sluice's layers have");
  OnnxValue result = (this->*found->second)(node);
  for (const std::string_view input : raw.inputs) {
    const auto source = values_.find(input);
    if (source == values_.end() || source->second.layer != result.layer) continue;
    result.is_alone = result.is_alone && source->second.is_alone && uses_.at(input) == 1;
  }
  spend(result.scale.size() + result.offset.size() + 16 * result.flattened.size());
  values_[name] = std::move(result);
}

/// Computes what depends on no image.
bool OnnxGraphReader::fold(const NodeReader& node) {
  const OnnxNode& raw = node.node();
  std::optional<OnnxConstant> result;
  if (node.op() == "Constant") {
    result = constant_of(node);
  } else if (node.op() == "Shape") {
    result = shape_of(node);
  } else {
    std::vector<const OnnxConstant*> inputs;
    for (const std::string_view input : raw.inputs) {
      inputs.push_back(input.empty() ? nullptr : constant(input));
      if (inputs.back() == nullptr && !input.empty()) return false;
      if (inputs.back() != nullptr) spend(inputs.back()->size());
    }
    result = folded(node, inputs);
  }
  if (!result) return false;
  spend(result->size());
  constants_[raw.outputs[0]] = std::move(*result);
  return true;
}

OnnxConstant OnnxGraphReader::shape_of(const NodeReader& node) {
  Shape dims;
  if (const OnnxConstant* known = constant(node.input(0))) {
    dims = known->dims;
  } else {
    dims = value(node, 0).dims();
    dims.insert(dims.begin(), kBatchSize);
  }
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto place = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t begin = place(node.whole("start", 0));
  const std::int64_t end = std::max(begin, place(node.whole("end", rank)));
  return {{end - begin}, true, {}, {dims.begin() + begin, dims.begin() + end}};
}

SavedModel OnnxGraphReader::finish() {
  const std::string_view output = file_.outputs[0].name;
  const auto node = std::ranges::find_if(
      file_.nodes, [&](const OnnxNode& each) { return each.outputs[0] == output; });
  if (node == file_.nodes.end() || !values_.contains(output)) {
    throw user_error("onnx", "{}: its output '{}' does not depend on the images", place_,
                     one_line(output));
  }
  const NodeReader last(*node, place_);
  OnnxValue value = values_.at(output);
  const bool is_log = value.function == OnnxFunction::log_softmax && value.is_plain();
  if (is_log) value.function = OnnxFunction::none;
  value = as_layers(last, std::move(value));
  if (!value.flattened.empty() || !in_order(value.shape, value.axes)) {
    last.refuse("is the output, and an image with its channels first: Sluice reads classifiers");
  }
  if (value.layer == kImagesName) last.refuse("is the output, and gives the images as they are");
  if (is_log) {
    say("its output is logarithms of probabilities: Sluice gives the probabilities");
    value =
        network_.add(last, last.label(), ActivationLayer{"", Activation::softmax}, {&value}, {0});
  }
  if (!left_out_.empty()) {
    std::string list;
    for (const std::string& each : left_out_) list += (list.empty() ? "" : ", ") + each;
    say(fmt::format("nodes that do nothing at inference are left out: {}", list));
  }
  return network_.finish(value.layer);
}

const OnnxConstant* OnnxGraphReader::constant(std::string_view name) {
  if (const auto found = constants_.find(name); found != constants_.end()) return &found->second;
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return nullptr;
  const OnnxTensor& tensor = *found->second;
  const bool is_whole = tensor.is_whole();
  if (!is_whole && !tensor.is_real()) {
    throw user_error("onnx",
                     "{}: tensor '{}' has ONNX's type {}; Sluice computes in float32: export the "
                     "model as it was before it was quantized",
                     place_, one_line(name), tensor.type);
  }
  spend(static_cast<std::size_t>(element_count(tensor.dims)));
  OnnxConstant constant{tensor.dims, is_whole};
  if (is_whole) constant.wholes = wholes_of(tensor);
  if (!is_whole) constant.reals = reals_of(tensor);
  return &constants_.emplace(name, std::move(constant)).first->second;
}

const OnnxConstant& OnnxGraphReader::constant_input(const NodeReader& node, std::size_t index) {
  const OnnxConstant* found = node.has_input(index) ? constant(node.input(index)) : nullptr;
  if (found != nullptr) return *found;
  node.refuse(
      fmt::format("has an input {} that is no constant of the file",
                  node.has_input(index) ? one_line(node.input(index)) : std::to_string(index)));
}

void OnnxGraphReader::spend(std::size_t values) {
  if (values > left_) {
    throw user_error("onnx",
                     "{}: its nodes share tensors so often that the network would be many times as "
                     "large as the file: Sluice keeps the weights of each layer by itself",
                     place_);
  }
  left_ -= values;
}

const OnnxValue& OnnxGraphReader::value(const NodeReader& node, std::size_t index) const {
  const std::string_view name = node.input(index);
  const auto found = values_.find(name);
  if (found != values_.end()) return found->second;
  if (name.empty()) node.refuse(fmt::format("has no input {}", index));
  const bool known = constants_.contains(name) || tensors_.contains(name);
  node.refuse(fmt::format("takes '{}', which {}", one_line(name),
                          known ? "does not depend on the images"
                                : "is no result that Sluice has of a node before it"));
}

void OnnxGraphReader::say(const std::string& line) const {
  if (options_.say) options_.say(fmt::format("{}: {}", place_, printable(line)));
}

const std::map<std::string_view, OnnxGraphReader::Read>& OnnxGraphReader::readers() {
  using Self = OnnxGraphReader;
  static const std::map<std::string_view, Read> all{
      {"Abs", &Self::read_function},
      {"Add", &Self::read_arithmetic},
      {"AveragePool", &Self::read_pool},
      {"BatchNormalization", &Self::read_batch_normalization},
      {"Cast", &Self::read_cast},
      {"Clip", &Self::read_clip},
      {"Concat", &Self::read_concat},
      {"Conv", &Self::read_convolution},
      {"Div", &Self::read_arithmetic},
      {"Dropout", &Self::read_dropout},
      {"Elu", &Self::read_elu},
      {"Erf", &Self::read_erf},
      {"Exp", &Self::read_other_activation},
      {"Flatten", &Self::read_flatten},
      {"Gelu", &Self::read_other_activation},
      {"Gemm", &Self::read_dense},
      {"GlobalAveragePool", &Self::read_global_pool},
      {"GlobalMaxPool", &Self::read_global_pool},
      {"Greater", &Self::read_greater},
      {"HardSigmoid", &Self::read_hard_sigmoid},
      {"HardSwish", &Self::read_other_activation},
      {"Identity", &Self::read_same},
      {"LeakyRelu", &Self::read_leaky_relu},
      {"LogSoftmax", &Self::read_softmax},
      {"MatMul", &Self::read_dense},
      {"MaxPool", &Self::read_pool},
      {"Mish", &Self::read_other_activation},
      {"Mul", &Self::read_arithmetic},
      {"Neg", &Self::read_negative},
      {"PRelu", &Self::read_leaky_relu},
      {"Pad", &Self::read_pad},
      {"ReduceMax", &Self::read_reduction},
      {"ReduceMean", &Self::read_reduction},
      {"Relu", &Self::read_relu},
      {"Reshape", &Self::read_reshape},
      {"Selu", &Self::read_other_activation},
      {"Sigmoid", &Self::read_function},
      {"Softmax", &Self::read_softmax},
      {"Softplus", &Self::read_function},
      {"Softsign", &Self::read_other_activation},
      {"Squeeze", &Self::read_squeeze},
      {"Sub", &Self::read_arithmetic},
      {"Sum", &Self::read_sum},
      {"Swish", &Self::read_other_activation},
      {"Tanh", &Self::read_tanh},
      {"Transpose", &Self::read_transpose},
      {"Unsqueeze", &Self::read_squeeze},
      {"Where", &Self::read_where},
  };
  return all;
}

}  // namespace sluice
