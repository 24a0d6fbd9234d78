#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "formats/onnx/graph_reader.h"
#include "graph/layer_type.h"

namespace sluice {
namespace {

std::vector<int> fresh_axes(std::size_t count) {
  std::vector<int> axes(count, -1);
  axes[0] = 0;
  return axes;
}

const char* word_for_axis(std::size_t axis) {
  return axis == 0 ? "height" : "width";
}

/// Two sizes of an attribute, from 1 on.
Size2D size_of(const NodeReader& node, std::string_view name, const Shape& sizes) {
  const bool valid = sizes.size() == 2 && std::ranges::all_of(sizes, [](std::int64_t size) {
                       return size >= 1 && size <= kMostUnits;
                     });
  if (!valid)
    node.refuse(
        fmt::format("has {} {}; Sluice computes on height and width", name, to_string(sizes)));
  return {static_cast<int>(sizes[0]), static_cast<int>(sizes[1])};
}

/// The window of a convolution or a pool on an image of that shape.
operation::Window window_of(const NodeReader& node, Size2D kernel, const Shape& image) {
  for (const std::int64_t dilation : node.wholes("dilations")) {
    if (dilation != 1)
      node.refuse(fmt::format("has a dilation of {}; Sluice computes 1", dilation));
  }
  const Size2D strides = size_of(node, "strides", node.wholes("strides", {1, 1}));
  operation::Window window{kernel, strides};
  const std::string_view automatic = node.text("auto_pad", "NOTSET");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    window = window_on(image, kernel, strides, Padding::same);
    if (automatic == "SAME_LOWER") {
      std::swap(window.top, window.bottom);
      std::swap(window.left, window.right);
    }
  } else if (automatic == "NOTSET") {
    const Shape pads = node.wholes("pads", {0, 0, 0, 0});
    const bool valid = pads.size() == 4 && std::ranges::all_of(pads, [](std::int64_t pad) {
                         return pad >= 0 && pad <= kMostMargin;
                       });
    if (!valid)
      node.refuse(fmt::format("has pads {}, which Sluice does not compute", to_string(pads)));
    window.top = static_cast<int>(pads[0]);
    window.left = static_cast<int>(pads[1]);
    window.bottom = static_cast<int>(pads[2]);
    window.right = static_cast<int>(pads[3]);
  } else if (automatic != "VALID") {
    node.refuse("has an auto_pad that ONNX does not have");
  }
  return window;
}

/// With ceil_mode, the pixels below and to the right that the last window needs beyond the others.
void extend_to_ceil(const NodeReader& node, const Shape& image, operation::Window& window) {
  if (node.whole("ceil_mode", 0) == 0) return;
  const auto more = [](std::int64_t size, int before, int after, int kernel, int stride) {
    const std::int64_t all = size + before + after - kernel;
    std::int64_t last = (std::max<std::int64_t>(all, 0) + stride - 1) / stride * stride;
    if (last >= size + before) last -= stride;  // it would begin beyond the image
    return static_cast<int>(std::max<std::int64_t>(last - all, 0));
  };
  window.bottom +=
      more(image[0], window.top, window.bottom, window.size.height, window.strides.height);
  window.right +=
      more(image[1], window.left, window.right, window.size.width, window.strides.width);
}

bool has_zeros(const operation::Window& window) {
  return window.top != 0 || window.bottom != 0 || window.left != 0 || window.right != 0;
}

bool is_same(const operation::Window& window, const Shape& image) {
  return window == window_on(image, window.size, window.strides, Padding::same);
}

}  // namespace

OnnxValue OnnxGraphReader::activation(const NodeReader& node, Activation function) {
  const OnnxValue& x = layer_value(node, 0);
  OnnxValue result = network_.add(node, node.label(), ActivationLayer{"", function}, {&x}, x.axes);
  result.flattened = x.flattened;
  return result;
}

OnnxValue OnnxGraphReader::read_relu(const NodeReader& node) {
  return activation(node, Activation::relu);
}

OnnxValue OnnxGraphReader::read_leaky_relu(const NodeReader& node) {
  double slope = node.real("alpha", 0.01f);
  if (node.op() == "PRelu") {
    const OnnxConstant& slopes = constant_input(node, 1);
    if (slopes.reals.size() != 1) node.refuse("has several slopes; Sluice computes one");
    slope = slopes.reals[0];
  }
  const OnnxValue& x = layer_value(node, 0);
  OnnxValue result = network_.add(node, node.label(), LeakyReLU{"", slope}, {&x}, x.axes);
  result.flattened = x.flattened;
  return result;
}

OnnxValue OnnxGraphReader::read_elu(const NodeReader& node) {
  const OnnxValue& x = layer_value(node, 0);
  OnnxValue result = network_.add(node, node.label(), ELU{"", node.real("alpha", 1)}, {&x}, x.axes);
  result.flattened = x.flattened;
  return result;
}

OnnxValue OnnxGraphReader::read_other_activation(const NodeReader& node) {
  const std::string_view op = node.op();
  const auto require = [&](const char* name, float found, float wanted) {
    if (std::fabs(found - wanted) <= 1e-4f) return;
    node.refuse(fmt::format("has {} {}; Sluice computes {}", name, found, wanted));
  };
  if (op == "Selu") {
    require("alpha", node.real("alpha", 1.67326f), 1.67326f);
    require("gamma", node.real("gamma", 1.0507f), 1.0507f);
    return activation(node, Activation::selu);
  }
  if (op == "Gelu") {
    if (node.text("approximate", "none") != "none") {
      node.refuse("computes GELU by tanh; Sluice computes it by erf");
    }
    return activation(node, Activation::gelu);
  }
  if (op == "Swish") {
    require("alpha", node.real("alpha", 1), 1);
    return activation(node, Activation::silu);
  }
  return activation(node, op == "Softsign"    ? Activation::softsign
                          : op == "Exp"       ? Activation::exponential
                          : op == "HardSwish" ? Activation::hard_silu
                                              : Activation::mish);
}

OnnxValue OnnxGraphReader::read_softmax(const NodeReader& node) {
  OnnxValue x = layer_value(node, 0);
  const auto rank = static_cast<std::int64_t>(x.axes.size()) + 1;
  std::int64_t axis = node.whole("axis", file_.opset < 13 ? 1 : -1);
  if (axis < 0) axis += rank;
  bool fits = x.shape.size() == 1 && axis >= 1 && axis < rank;
  // Before opset 13 it is over all axes from this one on.
  for (std::size_t i = 0; fits && i < x.axes.size(); ++i) {
    const bool taken = file_.opset < 13 ? static_cast<std::int64_t>(i) + 1 >= axis
                                        : static_cast<std::int64_t>(i) + 1 == axis;
    fits = x.axes[i] < 0 || taken;
  }
  if (!fits) {
    node.refuse(
        fmt::format("has a softmax over axis {} of (batch, {}; Sluice computes it over a "
                    "vector",
                    axis, to_string(x.dims()).substr(1)));
  }
  if (node.op() == "Softmax") return activation(node, Activation::softmax);
  x.function = OnnxFunction::log_softmax;
  return x;
}

OnnxValue OnnxGraphReader::read_convolution(const NodeReader& node) {
  OnnxValue x = image(node, 0);
  const OnnxConstant& kernel = constant_input(node, 1);
  const std::int64_t groups = node.whole("group", 1);
  if (kernel.is_whole || kernel.dims.size() != 4) {
    node.refuse(fmt::format("has a kernel of {}; Sluice computes (out, in, height, width)",
                            to_string(kernel.dims)));
  }
  const Size2D size = size_of(node, "kernel", {kernel.dims[2], kernel.dims[3]});
  const bool depthwise = groups != 1 && groups == x.shape[2] && kernel.dims[0] == groups;
  if (groups != 1 && !depthwise) {
    node.refuse(
        fmt::format("has {} groups and {} filters for {} channels; Sluice computes one group, "
                    "or as many groups and filters as channels",
                    groups, kernel.dims[0], x.shape[2]));
  }
  if (kernel.dims[1] != (depthwise ? 1 : x.shape[2])) {
    node.refuse(
        fmt::format("has a kernel of {} for {} channels", to_string(kernel.dims), x.shape[2]));
  }
  const operation::Window window = window_of(node, size, x.shape);
  Padding padding = Padding::valid;
  if (has_zeros(window)) {
    if (is_same(window, x.shape)) {
      padding = Padding::same;
    } else {
      x = padded(node, x, window.top, window.bottom, window.left, window.right);
    }
  }
  spend(kernel.reals.size());
  NetworkBuilder::Tensors tensors{
      in_axis_order(kernel.reals, kernel.dims, depthwise ? Shape{2, 3, 0, 1} : Shape{2, 3, 1, 0})};
  if (node.has_input(2)) {
    tensors.push_back(constant_input(node, 2).reals);
    spend(tensors.back().size());
  }
  const bool bias = tensors.size() > 1;
  Layer layer = DepthwiseConv2D{"", size, Activation::linear, window.strides, padding, bias};
  if (!depthwise) {
    layer = Conv2D{"",
                   static_cast<int>(std::min(kernel.dims[0], kMostUnits + 1)),
                   size,
                   Activation::linear,
                   window.strides,
                   padding,
                   bias};
  }
  return network_.add(node, node.layer_name(), std::move(layer), {&x}, kChannelsFirst,
                      std::move(tensors));
}

OnnxValue OnnxGraphReader::read_dense(const NodeReader& node) {
  const bool gemm = node.op() == "Gemm";
  const OnnxConstant& kernel = constant_input(node, 1);
  if (kernel.is_whole || kernel.dims.size() != 2) {
    node.refuse(fmt::format("multiplies by {}; Sluice computes a dense layer, (in, out)",
                            to_string(kernel.dims)));
  }
  if (gemm &&
      (node.real("alpha", 1) != 1 || node.real("beta", 1) != 1 || node.whole("transA", 0) != 0)) {
    node.refuse("has an alpha, a beta or a transA; Sluice computes none");
  }
  OnnxValue x = layer_value(node, 0);
  if (x.axes.size() != 1) {
    node.refuse(fmt::format("takes (batch, {}; Sluice's dense layers take a vector of each image",
                            to_string(x.dims()).substr(1)));
  }
  x = vector(node, x);
  const bool turned = gemm && node.whole("transB", 0) != 0;
  const std::int64_t in = kernel.dims[turned ? 1 : 0];
  const std::int64_t out = kernel.dims[turned ? 0 : 1];
  if (in != x.shape[0] || out < 1) {
    node.refuse(fmt::format("has a kernel for {} values, and takes {}", in, x.shape[0]));
  }
  const auto units = static_cast<std::size_t>(out);
  spend(2 * kernel.reals.size());
  std::vector<float> rows =
      turned ? in_axis_order(kernel.reals, kernel.dims, {1, 0}) : kernel.reals;
  if (const std::vector<std::size_t> order = x.order(); !order.empty()) {
    std::vector<float> ordered(rows.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(i * units), units,
                  ordered.begin() + static_cast<std::ptrdiff_t>(order[i] * units));
    }
    rows = std::move(ordered);
  }
  NetworkBuilder::Tensors tensors{std::move(rows)};
  if (gemm && node.has_input(2)) {
    const OnnxConstant& bias = constant_input(node, 2);
    if (bias.is_whole || bias.reals.empty()) node.refuse("has a bias that is no list of numbers");
    spend(units);
    tensors.push_back(bias.reals);
    if (bias.reals.size() == 1) tensors.back().resize(units, bias.reals[0]);
  }
  const Dense dense{"", static_cast<int>(std::min(out, kMostUnits + 1)), Activation::linear,
                    tensors.size() > 1};
  return network_.add(node, node.layer_name(), dense, {&x}, {0}, std::move(tensors));
}

OnnxValue OnnxGraphReader::read_batch_normalization(const NodeReader& node) {
  if (node.whole("training_mode", 0) != 0) {
    node.refuse(
        "is in training mode: export the model for inference, in PyTorch after model.eval()");
  }
  const OnnxValue& x = layer_value(node, 0);
  if (x.axes.empty() || x.axes[0] != static_cast<int>(x.shape.size()) - 1) {
    node.refuse("normalises an axis that is not the channels");
  }
  NetworkBuilder::Tensors tensors;
  for (std::size_t i = 1; i <= 4; ++i) {
    const std::vector<float>& values = constant_input(node, i).reals;
    if (static_cast<std::int64_t>(values.size()) != x.shape.back()) {
      node.refuse(fmt::format("has {} values for {} channels", values.size(), x.shape.back()));
    }
    spend(values.size());
    tensors.push_back(values);
    const std::vector<std::size_t> order = x.order();
    for (std::size_t place = 0; place < order.size(); ++place) {
      tensors.back()[order[place]] = values[place];
    }
  }
  const BatchNormalization layer{"", node.real("momentum", 0.9f), node.real("epsilon", 1e-5f)};
  OnnxValue result = network_.add(node, node.layer_name(), layer, {&x}, x.axes, std::move(tensors));
  result.flattened = x.flattened;
  return result;
}

OnnxValue OnnxGraphReader::read_pool(const NodeReader& node) {
  OnnxValue x = image(node, 0);
  const bool max = node.op() == "MaxPool";
  if (node.node().outputs.size() > 1 && uses_.contains(node.node().outputs[1])) {
    node.refuse("gives the places of its largest values, which Sluice does not compute");
  }
  operation::Window window =
      window_of(node, size_of(node, "kernel_shape", node.wholes("kernel_shape")), x.shape);
  const operation::Window without_ceil = window;
  extend_to_ceil(node, x.shape, window);
  Padding padding = Padding::valid;
  if (has_zeros(window)) {
    const bool counts_zeros = !max && node.whole("count_include_pad", 0) != 0;
    if (is_same(window, x.shape) && !counts_zeros) {
      padding = Padding::same;
    } else if (!max && (!counts_zeros || !(window == without_ceil))) {
      node.refuse(
          "has a mean of the pixels in the image alone, by pads that are not those of Keras's "
          "'same'; "
          "Sluice computes it with zeros (count_include_pad = 1) and without ceil_mode");
    } else if (max && !network_.is_non_negative(x.layer)) {
      node.refuse(
          "has pads that are not those of Keras's 'same', and takes values that may be below 0; "
          "Sluice pads with 0, which is right only behind a ReLU");
    } else {
      x = padded(node, x, window.top, window.bottom, window.left, window.right);
    }
  }
  Layer layer = AveragePooling2D{"", window.size, window.strides, padding};
  if (max) layer = MaxPooling2D{"", window.size, window.strides, padding};
  return network_.add(node, node.label(), std::move(layer), {&x}, kChannelsFirst);
}

OnnxValue OnnxGraphReader::global_pool(const NodeReader& node, const OnnxValue& image, bool mean,
                                       std::vector<int> axes) {
  Layer layer = GlobalMaxPooling2D{};
  if (mean) layer = GlobalAveragePooling2D{};
  return network_.add(node, node.label(), std::move(layer), {&image}, std::move(axes));
}

OnnxValue OnnxGraphReader::read_global_pool(const NodeReader& node) {
  const OnnxValue x = image(node, 0);
  return global_pool(node, x, node.op() == "GlobalAveragePool", fresh_axes(3));
}

OnnxValue OnnxGraphReader::read_reduction(const NodeReader& node) {
  const OnnxValue& x = layer_value(node, 0);
  const OnnxConstant* axes = node.has_input(1) ? &constant_input(node, 1) : nullptr;
  const Shape reduced = axes_of(node, axes, x.axes.size() + 1);
  if (reduced.empty()) node.refuse("reduces all axes, and with them the images");
  bool found[2] = {false, false};
  std::vector<int> rest = x.axes;
  bool others = x.shape.size() != 3;
  for (const std::int64_t axis : reduced) {
    const int own = axis == 0 ? -1 : x.axes[static_cast<std::size_t>(axis) - 1];
    if (own == 0 || own == 1) {
      found[own] = true;
      rest[static_cast<std::size_t>(axis) - 1] = -2;
    } else {
      others = true;
    }
  }
  for (std::size_t i = 0; i < 2; ++i) {
    if (others || found[i]) continue;
    if (x.shape[i] != 1) node.refuse(fmt::format("does not reduce the {}", word_for_axis(i)));
  }
  if (others) {
    node.refuse(
        fmt::format("reduces axes {} of (batch, {}; Sluice reduces height and width of images",
                    to_string(reduced), to_string(x.dims()).substr(1)));
  }
  std::vector<int> result;
  const bool keeps = node.whole("keepdims", 1) != 0;
  for (const int axis : rest) {
    if (axis == -2 && !keeps) continue;
    result.push_back(axis == 2 ? 0 : -1);
  }
  return global_pool(node, x, node.op() == "ReduceMean", std::move(result));
}

}  // namespace sluice
