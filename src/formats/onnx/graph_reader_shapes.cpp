#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "formats/onnx/graph_reader.h"
#include "graph/layer_type.h"

namespace sluice {
namespace {

std::vector<int> counted_axes(std::size_t count) {
  std::vector<int> axes;
  for (std::size_t i = 0; i < count; ++i) axes.push_back(static_cast<int>(i));
  return axes;
}

Shape without_ones(Shape dims) {
  std::erase(dims, 1);
  return dims;
}

}  // namespace

OnnxValue OnnxGraphReader::image(const NodeReader& node, std::size_t index) {
  const OnnxValue& x = layer_value(node, index);
  if (x.is_channels_first()) {
    OnnxValue result = x;
    result.axes = kChannelsFirst;
    return result;
  }
  if (x.axes == std::vector{0, -1, -1}) {  // of a global pool
    OnnxValue result = network_.add(node, fmt::format("{}_pixel", node.label()),
                                    Reshape{"", {1, 1, x.shape[0]}}, {&x}, kChannelsFirst);
    if (x.flattened.empty()) return result;
  }
  node.refuse(fmt::format("takes (batch, {}, which is no image with its channels first",
                          to_string(x.dims()).substr(1)));
}

OnnxValue OnnxGraphReader::vector(const NodeReader& node, const OnnxValue& value) {
  OnnxValue result = value;
  if (value.shape.size() != 1) {
    result = network_.add(node, fmt::format("{}_flatten", node.label()), Flatten{}, {&value}, {0});
    if (!in_order(value.shape, value.axes)) {
      result.flattened = {FlattenedImage{value.shape, value.axes}};
    }
  }
  result.axes = {0};
  return result;
}

std::vector<OnnxValue> OnnxGraphReader::merged_values(const NodeReader& node) {
  constexpr std::size_t kMostMerged = 64;
  if (node.node().inputs.size() > kMostMerged) {
    node.refuse(
        fmt::format("has {} inputs; Sluice merges {}", node.node().inputs.size(), kMostMerged));
  }
  std::vector<OnnxValue> values;
  for (std::size_t i = 0; i < node.node().inputs.size(); ++i) {
    const OnnxValue& x = layer_value(node, i);
    values.push_back(x.axes.size() == 1 ? vector(node, x) : x);
  }
  return values;
}

OnnxValue OnnxGraphReader::reshaped(const NodeReader& node, const OnnxValue& value,
                                    const Shape& dims) {
  const Shape before = value.dims();
  if (before == dims) return value;
  if (without_ones(before) == without_ones(dims) && value.flattened.empty()) {
    OnnxValue result = value;
    result.axes.clear();
    std::size_t next = 0;
    for (const std::int64_t size : dims) {
      while (size != 1 && before[next] == 1) ++next;
      result.axes.push_back(size == 1 ? -1 : value.axes[next++]);
    }
    return result;
  }
  if (dims.size() == 1) return vector(node, value);
  if (!value.flattened.empty() || !in_order(value.shape, value.axes)) {
    node.refuse(fmt::format("makes (batch, {} of (batch, {}, which moves pixels among channels",
                            to_string(dims).substr(1), to_string(before).substr(1)));
  }
  return network_.add(node, node.label(), Reshape{"", dims}, {&value}, counted_axes(dims.size()));
}

OnnxValue OnnxGraphReader::padded(const NodeReader& node, const OnnxValue& image, int top,
                                  int bottom, int left, int right) {
  return network_.add(node, fmt::format("{}_pad", node.label()),
                      ZeroPadding2D{"", top, bottom, left, right}, {&image}, image.axes);
}

OnnxValue OnnxGraphReader::read_same(const NodeReader& node) {
  return value(node, 0);
}

OnnxValue OnnxGraphReader::read_dropout(const NodeReader& node) {
  if (node.has_input(2) && constant_input(node, 2).wholes != std::vector<std::int64_t>{0}) {
    node.refuse(
        "is in training mode: export the model for inference, in PyTorch after model.eval()");
  }
  left_out_.push_back(fmt::format("'{}' ({})", one_line(node.label()), node.op()));
  return value(node, 0);
}

OnnxValue OnnxGraphReader::read_cast(const NodeReader& node) {
  const OnnxTensor type{"", {}, static_cast<int>(node.whole("to", onnx_type::kFloat)), {}};
  if (!type.is_real()) {
    node.refuse(fmt::format("makes values of type {}; Sluice computes in float32", type.type));
  }
  return value(node, 0);
}

OnnxValue OnnxGraphReader::read_flatten(const NodeReader& node) {
  const OnnxValue& x = layer_value(node, 0);
  const auto rank = static_cast<std::int64_t>(x.axes.size()) + 1;
  const std::int64_t axis = node.whole("axis", 1);
  if (axis != 1 && axis != 1 - rank) {
    node.refuse(fmt::format("makes rows from axis {} on; Sluice computes 1", axis));
  }
  return reshaped(node, x, {element_count(x.dims())});
}

OnnxValue OnnxGraphReader::read_reshape(const NodeReader& node) {
  const OnnxValue& x = layer_value(node, 0);
  const Shape target = constant_input(node, 1).wholes;
  const Shape before = x.dims();
  const std::int64_t elements = element_count(before);
  if (target.empty() || target.size() > kMostAxes + 2) node.refuse("has a shape of too many axes");
  Shape dims(target.begin() + 1, target.end());
  std::int64_t known = 1;
  bool valid = true;
  for (std::size_t i = 0; valid && i < dims.size(); ++i) {
    if (dims[i] == 0 && i < before.size()) dims[i] = before[i];
    if (dims[i] == -1) continue;
    valid = dims[i] > 0 && dims[i] <= elements / known;
    if (valid) known *= dims[i];
  }
  if (const auto open = std::ranges::find(dims, -1); valid && open != dims.end()) {
    valid = target[0] != -1 && elements % known == 0;
    *open = elements / known;
    valid = valid && std::ranges::find(dims, -1) == dims.end();
  }
  const std::int64_t rows = target[0];
  const bool keeps_batch =
      rows == kBatchSize || rows == 0 || rows == -1 || (rows > 0 && rows == batch_);
  if (!valid || !keeps_batch || element_count(dims) != elements) {
    node.refuse(fmt::format("gives (batch, {} a shape that mixes images or does not fit",
                            to_string(before).substr(1)));
  }
  return reshaped(node, x, dims);
}

OnnxValue OnnxGraphReader::read_squeeze(const NodeReader& node) {
  const OnnxValue& x = layer_value(node, 0);
  const OnnxConstant* axes = node.has_input(1) ? &constant_input(node, 1) : nullptr;
  Shape dims = x.dims();
  dims.insert(dims.begin(), kBatchSize);
  dims = node.op() == "Squeeze" ? squeezed(node, dims, axes) : unsqueezed(node, dims, axes);
  if (dims.empty() || dims[0] != kBatchSize) node.refuse("moves the axis of the images");
  return reshaped(node, x, {dims.begin() + 1, dims.end()});
}

OnnxValue OnnxGraphReader::read_transpose(const NodeReader& node) {
  OnnxValue result = value(node, 0);
  const Shape order = node.wholes("perm");
  const std::vector<int> before = result.axes;
  std::vector<bool> met(before.size() + 1);
  bool valid = order.size() == met.size() && order[0] == 0;
  for (std::size_t i = 1; valid && i < order.size(); ++i) {
    valid = order[i] > 0 && order[i] < static_cast<std::int64_t>(met.size()) &&
            !met[static_cast<std::size_t>(order[i])];
    if (!valid) break;
    met[static_cast<std::size_t>(order[i])] = true;
    result.axes[i - 1] = before[static_cast<std::size_t>(order[i]) - 1];
  }
  if (!valid) node.refuse(fmt::format("has perm {}, which moves the images", to_string(order)));
  return result;
}

OnnxValue OnnxGraphReader::read_concat(const NodeReader& node) {
  const std::vector<OnnxValue> values = merged_values(node);
  if (values.empty()) node.refuse("has no inputs");
  if (values.size() == 1) return values[0];
  std::vector<const OnnxValue*> sources;
  for (const OnnxValue& each : values) sources.push_back(&each);
  const OnnxValue& first = values[0];
  std::int64_t axis = node.whole("axis", 1);
  if (axis < 0) axis += static_cast<std::int64_t>(first.axes.size()) + 1;
  const bool channels =
      axis >= 1 && axis <= static_cast<std::int64_t>(first.axes.size()) &&
      first.axes[static_cast<std::size_t>(axis) - 1] == static_cast<int>(first.shape.size()) - 1;
  if (!channels) node.refuse(fmt::format("joins along axis {}, which is not the channels", axis));
  bool flattened = false;
  for (const OnnxValue* each : sources) {
    if (each->axes != first.axes) node.refuse("joins values with different orders of axes");
    flattened = flattened || !each->flattened.empty();
  }
  OnnxValue result = network_.add(node, node.label(), Concatenate{}, sources, first.axes);
  for (const OnnxValue* each : sources) {
    if (!flattened) break;
    const std::vector<FlattenedImage> plain{{{each->shape[0]}, {0}}};
    const std::vector<FlattenedImage>& from = each->flattened.empty() ? plain : each->flattened;
    result.flattened.insert(result.flattened.end(), from.begin(), from.end());
    if (result.flattened.size() > 1000) node.refuse("joins more than a thousand flattened images");
  }
  return result;
}

OnnxValue OnnxGraphReader::read_pad(const NodeReader& node) {
  const OnnxValue& x = layer_value(node, 0);
  const std::string_view mode = node.text("mode", "constant");
  if (mode != "constant") node.refuse("pads by reflection or the edge; Sluice pads with zeros");
  const float filler = node.has_input(2) && !constant_input(node, 2).reals.empty()
                           ? constant_input(node, 2).reals[0]
                           : node.real("value", 0);
  if (filler != 0) node.refuse(fmt::format("pads with {}; Sluice pads with zeros", filler));
  const Shape pads = node.has_input(1) ? constant_input(node, 1).wholes : node.wholes("pads");
  const std::size_t rank = x.axes.size() + 1;
  Shape axes;
  for (std::size_t i = 0; i < rank; ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (node.has_input(3)) {
    axes = constant_input(node, 3).wholes;
    for (std::int64_t& axis : axes) axis += axis < 0 ? static_cast<std::int64_t>(rank) : 0;
  }
  if (pads.size() != 2 * axes.size()) node.refuse("has not two pads for each axis");
  int margins[4] = {0, 0, 0, 0};  // top, bottom, left, right
  for (std::size_t i = 0; i < axes.size(); ++i) {
    for (std::size_t side = 0; side < 2; ++side) {
      const std::int64_t pad = pads[i + side * axes.size()];
      if (pad == 0) continue;
      const bool inside = axes[i] >= 1 && axes[i] < static_cast<std::int64_t>(rank);
      const int own = inside ? x.axes[static_cast<std::size_t>(axes[i]) - 1] : -1;
      if (pad < 0 || pad > kMostMargin || x.shape.size() != 3 || (own != 0 && own != 1)) {
        node.refuse("pads other axes than height and width, or takes pixels away");
      }
      margins[2 * own + static_cast<int>(side)] = static_cast<int>(pad);
    }
  }
  if (std::ranges::all_of(margins, [](int margin) { return margin == 0; })) return x;
  return padded(node, x, margins[0], margins[1], margins[2], margins[3]);
}

}  // namespace sluice
