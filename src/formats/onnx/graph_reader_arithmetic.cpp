#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "base/text.h"
#include "formats/onnx/graph_reader.h"
#include "graph/wiring.h"

namespace sluice {
namespace {

using Numbers = std::vector<double>;

bool is_near(double a, double b) {
  return std::fabs(a - b) <= 1e-5 * std::max(std::fabs(a), std::fabs(b));
}

/// Calls make(a, b) for each pair; one number stands for all.
template <class Make>
Numbers numbers_by_pairs(const Numbers& a, const Numbers& b, const Make& make) {
  Numbers results(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < results.size(); ++i) {
    results[i] = make(a[a.size() == 1 ? 0 : i], b[b.size() == 1 ? 0 : i]);
  }
  return results;
}

Numbers negative(Numbers numbers) {
  for (double& each : numbers) each = -each;
  return numbers;
}

bool all_equal(const Numbers& numbers) {
  return std::ranges::all_of(numbers, [&](double each) { return each == numbers[0]; });
}

/// Whether pixels from 0 to 255 are what this makes small numbers of.
bool is_of_pixels(const Numbers& scale, const Numbers& offset) {
  const Numbers means = numbers_by_pairs(offset, scale, [](double o, double s) { return -o / s; });
  const auto is_small = [](double each) { return std::fabs(each) < 1.0 / 64; };
  const auto is_pixel = [](double each) { return std::fabs(each) > 16; };
  return std::ranges::all_of(scale, is_small) || std::ranges::all_of(means, is_pixel);
}

/// Whether they are one value of a layer, before any function.
bool are_of_one(const OnnxValue& a, const OnnxValue& b) {
  return a.layer == b.layer && a.axes == b.axes && a.flattened == b.flattened;
}

/// x / (1 + |x|)
bool is_softsign(const OnnxValue& x, const OnnxValue& by) {
  return are_of_one(x, by) && x.function == OnnxFunction::none && x.is_plain() &&
         by.function == OnnxFunction::absolute && by.scale == Numbers{1} && by.offset == Numbers{1};
}

Activation layer_of(OnnxFunction function) {
  switch (function) {
    case OnnxFunction::sigmoid:
      return Activation::sigmoid;
    case OnnxFunction::hard_sigmoid:
      return Activation::hard_sigmoid;
    case OnnxFunction::softplus:
    case OnnxFunction::tanh_of_softplus:
      return Activation::softplus;
    case OnnxFunction::silu:
      return Activation::silu;
    case OnnxFunction::hard_silu:
      return Activation::hard_silu;
    case OnnxFunction::mish:
      return Activation::mish;
    case OnnxFunction::gelu:
      return Activation::gelu;
    default:
      return Activation::linear;
  }
}

}  // namespace

const OnnxValue& OnnxGraphReader::layer_value(const NodeReader& node, std::size_t index) {
  value(node, index);
  OnnxValue& stored = values_.at(node.input(index));
  if (stored.function != OnnxFunction::none || !stored.is_plain()) {
    stored = as_layers(node, std::move(stored));
  }
  return stored;
}

OnnxValue OnnxGraphReader::as_layers(const NodeReader& node, OnnxValue value) {
  switch (value.function) {
    case OnnxFunction::erf:
      node.refuse("takes an Erf that is no part of a GELU, x * (1 + Erf(x / sqrt(2))) / 2");
    case OnnxFunction::log_softmax:
      node.refuse("takes a LogSoftmax, which Sluice reads as the output alone");
    case OnnxFunction::absolute:
      node.refuse("takes an Abs that is no part of a Softsign, x / (1 + Abs(x))");
    case OnnxFunction::is_large:
      node.refuse("takes a Greater that is no part of a Softplus");
    default:
      break;
  }
  Numbers scale = std::exchange(value.scale, {1});
  Numbers offset = std::exchange(value.offset, {0});
  const auto add = [&](Layer layer, NetworkBuilder::Tensors tensors = {}) {
    std::vector<FlattenedImage> flattened = std::move(value.flattened);
    value = network_.add(node, node.label(), std::move(layer), {&value}, value.axes,
                         std::move(tensors));
    value.flattened = std::move(flattened);
  };
  if (const OnnxFunction function = std::exchange(value.function, OnnxFunction::none);
      function != OnnxFunction::none) {
    if (const double inner = std::exchange(value.inner, 1); inner != 1) {
      add(Rescaling{"", inner, 0});
    }
    add(ActivationLayer{"", layer_of(function)});
    if (function == OnnxFunction::tanh_of_softplus) add(ActivationLayer{"", Activation::tanh});
  } else if (value.layer == kImagesName && !options_.pixels && is_of_pixels(scale, offset)) {
    for (double& each : scale) each *= 255;
    say(fmt::format(
        "node '{}' takes pictures of 0 to 255; Sluice divides them by 255 before it, so "
        "that its scale is {} here",
        one_line(node.label()), scale[0]));
    if (all_equal(scale) && is_near(scale[0], 1) && all_equal(offset) && offset[0] == 0) {
      return value;
    }
  }
  if (all_equal(scale) && all_equal(offset)) {
    if (scale[0] != 1 || offset[0] != 0) add(Rescaling{"", scale[0], offset[0]});
    return value;
  }
  const auto channels = static_cast<std::size_t>(value.shape.back());
  scale.resize(channels, scale[0]);
  offset.resize(channels, offset[0]);
  if (value.layer == kImagesName && std::ranges::all_of(scale, [](double s) { return s > 0; })) {
    add(Normalization{
        "", numbers_by_pairs(offset, scale, [](double o, double s) { return -o / s; }),
        numbers_by_pairs(scale, scale, [](double s, double) { return 1 / (s * s); })});
    return value;
  }
  // A normalisation by mean 0 and, with epsilon, variance 1, which single precision has exactly.
  constexpr double kEpsilon = 0x1p-10;
  spend(4 * channels);
  const std::vector<float> variance(channels, static_cast<float>(1 - kEpsilon));
  add(BatchNormalization{"", 0.99, kEpsilon}, {{scale.begin(), scale.end()},
                                               {offset.begin(), offset.end()},
                                               std::vector<float>(channels),
                                               variance});
  return value;
}

OnnxValue OnnxGraphReader::affine(const NodeReader& node, const OnnxValue& value,
                                  const Numbers& scale, const Numbers& offset) {
  const auto times = [](double a, double b) { return a * b; };
  OnnxValue result = value;
  result.scale = numbers_by_pairs(value.scale, scale, times);
  result.offset = numbers_by_pairs(numbers_by_pairs(value.offset, scale, times), offset,
                                   [](double a, double b) { return a + b; });
  for (const double each : result.scale) {
    if (!std::isfinite(each)) node.refuse("multiplies by a number that is not finite");
  }
  return result;
}

Numbers OnnxGraphReader::for_channels(const NodeReader& node, const OnnxValue& value,
                                      const OnnxConstant& constant) const {
  if (constant.is_whole) node.refuse("computes with whole numbers");
  if (constant.reals.size() == 1) return {constant.reals[0]};
  const std::size_t axes = value.axes.size() + 1;
  bool fits = constant.dims.size() <= axes && !value.shape.empty() &&
              static_cast<std::int64_t>(constant.reals.size()) == value.shape.back();
  for (std::size_t i = 0; fits && i < constant.dims.size(); ++i) {
    const std::size_t axis = axes - constant.dims.size() + i;
    fits = constant.dims[i] == 1 ||
           (axis > 0 && value.axes[axis - 1] == static_cast<int>(value.shape.size()) - 1);
  }
  if (!fits) {
    node.refuse(
        fmt::format("computes with a constant of {} and (batch, {}: Sluice computes with one "
                    "number, or one for each channel",
                    to_string(constant.dims), to_string(value.dims()).substr(1)));
  }
  Numbers numbers(constant.reals.begin(), constant.reals.end());
  const std::vector<std::size_t> order = value.order();
  for (std::size_t i = 0; i < order.size(); ++i) numbers[order[i]] = constant.reals[i];
  return numbers;
}

OnnxValue OnnxGraphReader::read_arithmetic(const NodeReader& node) {
  if (!node.has_input(1)) node.refuse("has one input, not two");
  const OnnxConstant* const first = constant(node.input(0));
  const OnnxConstant* const second = constant(node.input(1));
  const std::string_view op = node.op();
  if (first == nullptr && second == nullptr) return merged(node);
  const OnnxValue& x = value(node, first == nullptr ? 0 : 1);
  Numbers numbers = for_channels(node, x, first == nullptr ? *second : *first);
  if (op == "Mul") return affine(node, x, numbers, {0});
  if (op == "Div") {
    if (first != nullptr)
      node.refuse("divides a constant by a value, which Sluice does not compute");
    for (double& each : numbers) each = 1 / each;
    return affine(node, x, numbers, {0});
  }
  if (op == "Sub") {
    return first == nullptr ? affine(node, x, {1}, negative(std::move(numbers)))
                            : affine(node, x, {-1}, numbers);
  }
  const bool own = x.is_alone && uses_.at(node.input(first == nullptr ? 0 : 1)) == 1 &&
                   x.function == OnnxFunction::none && x.is_plain();
  spend(numbers.size());
  if (own && network_.add_bias(x.layer, {numbers.begin(), numbers.end()})) return x;
  return affine(node, x, {1}, numbers);
}

OnnxValue OnnxGraphReader::read_negative(const NodeReader& node) {
  return affine(node, value(node, 0), {-1}, {0});
}

/// x * Sigmoid(x) and the like, which are one function.
bool OnnxGraphReader::gated(const OnnxValue& x, const OnnxValue& gate, OnnxValue& result) const {
  const bool one = are_of_one(x, gate) && x.scale.size() == 1 && gate.scale.size() == 1 &&
                   gate.offset.size() == 1 && x.function == OnnxFunction::none &&
                   x.offset == Numbers{0};
  if (!one) return false;
  OnnxFunction function = OnnxFunction::none;
  const bool simple = gate.inner == 1 && gate.offset[0] == 0;
  double scale = x.scale[0] * gate.scale[0];
  if (gate.function == OnnxFunction::sigmoid && simple) function = OnnxFunction::silu;
  if (gate.function == OnnxFunction::hard_sigmoid && simple) function = OnnxFunction::hard_silu;
  if (gate.function == OnnxFunction::tanh_of_softplus && simple) function = OnnxFunction::mish;
  if (gate.function == OnnxFunction::erf && is_near(gate.inner, 1 / std::numbers::sqrt2) &&
      is_near(gate.offset[0], gate.scale[0])) {
    function = OnnxFunction::gelu;  // x (1 + erf(x / sqrt(2))) is twice that
    scale *= 2;
  }
  if (function == OnnxFunction::none) return false;
  result = gate;
  result.function = function;
  result.inner = 1;
  result.scale = {is_near(scale, 1) ? 1 : scale};
  result.offset = {0};
  return true;
}

OnnxValue OnnxGraphReader::merged(const NodeReader& node) {
  const std::string_view op = node.op();
  if (OnnxValue result; op == "Mul" && (gated(value(node, 0), value(node, 1), result) ||
                                        gated(value(node, 1), value(node, 0), result))) {
    return result;
  }
  if (op == "Div" && is_softsign(value(node, 0), value(node, 1))) {
    return activation(node, Activation::softsign);
  }
  if (op != "Mul" && op != "Add") node.refuse("computes with two values that depend on the image");
  return read_sum(node);
}

OnnxValue OnnxGraphReader::read_sum(const NodeReader& node) {
  const std::vector<OnnxValue> values = merged_values(node);
  std::vector<const OnnxValue*> sources;
  for (const OnnxValue& each : values) {
    const OnnxValue& first = values[0];
    sources.push_back(&each);
    if (each.axes == first.axes && each.shape == first.shape && each.flattened == first.flattened) {
      continue;
    }
    node.refuse(
        fmt::format("takes (batch, {} and (batch, {}: Sluice merges values of one shape and "
                    "one order of axes",
                    to_string(first.dims()).substr(1), to_string(each.dims()).substr(1)));
  }
  if (sources.size() < 2) node.refuse("has fewer than two inputs");
  const Layer layer = node.op() == "Mul" ? Layer(Multiply{}) : Layer(Add{});
  OnnxValue result = network_.add(node, node.label(), layer, sources, sources[0]->axes);
  result.flattened = sources[0]->flattened;
  return result;
}

OnnxValue OnnxGraphReader::with_function(const NodeReader& node, OnnxFunction function) {
  OnnxValue result = layer_value(node, 0);
  result.function = function;
  return result;
}

OnnxValue OnnxGraphReader::read_function(const NodeReader& node) {
  return with_function(node, node.op() == "Sigmoid"    ? OnnxFunction::sigmoid
                             : node.op() == "Softplus" ? OnnxFunction::softplus
                                                       : OnnxFunction::absolute);
}

OnnxValue OnnxGraphReader::read_hard_sigmoid(const NodeReader& node) {
  const float alpha = node.real("alpha", 0.2f);
  if (!is_near(node.real("beta", 0.5f), 0.5) || !(std::fabs(alpha) > 0)) {
    node.refuse("has a beta other than 0.5 or an alpha of 0");
  }
  // Sluice's has the slope 1/6.
  OnnxValue result = with_function(node, OnnxFunction::hard_sigmoid);
  result.inner = is_near(6.0 * alpha, 1) ? 1 : 6.0 * alpha;
  return result;
}

OnnxValue OnnxGraphReader::read_tanh(const NodeReader& node) {
  if (const OnnxValue& x = value(node, 0); x.function == OnnxFunction::softplus && x.is_plain()) {
    OnnxValue result = x;
    result.function = OnnxFunction::tanh_of_softplus;
    return result;
  }
  return activation(node, Activation::tanh);
}

OnnxValue OnnxGraphReader::read_erf(const NodeReader& node) {
  OnnxValue result = value(node, 0);
  if (result.function != OnnxFunction::none || result.scale.size() != 1 ||
      result.offset != Numbers{0}) {
    result = layer_value(node, 0);
  }
  result.inner = std::exchange(result.scale, {1})[0];
  result.function = OnnxFunction::erf;
  return result;
}

OnnxValue OnnxGraphReader::read_clip(const NodeReader& node) {
  const auto bound = [&](std::size_t index, const char* name, float otherwise) {
    if (!node.has_input(index)) return node.real(name, otherwise);
    const OnnxConstant& number = constant_input(node, index);
    if (number.reals.size() != 1) node.refuse("has a bound that is no number");
    return number.reals[0];
  };
  const float least = bound(1, "min", -std::numeric_limits<float>::max());
  const float most = bound(2, "max", std::numeric_limits<float>::max());
  if (least == 0 && most == 6) {
    const OnnxValue& x = value(node, 0);
    if (x.function != OnnxFunction::none || x.scale != Numbers{1} || x.offset != Numbers{3}) {
      return activation(node, Activation::relu6);
    }
    OnnxValue result = x;  // relu6(x + 3) is six times the hard sigmoid
    result.function = OnnxFunction::hard_sigmoid;
    result.scale = {6};
    result.offset = {0};
    return result;
  }
  if (least == 0 && most > 1e30f) return activation(node, Activation::relu);
  node.refuse(
      fmt::format("cuts values at {} and {}; Sluice computes 0 and 6, or 0 alone", least, most));
}

/// PyTorch writes Softplus as Where(x > 20, x, Softplus(x)); from 20 on they differ by 2e-9.
OnnxValue OnnxGraphReader::read_greater(const NodeReader& node) {
  const OnnxConstant& bound = constant_input(node, 1);
  if (bound.reals.size() != 1 || bound.reals[0] < 16) {
    node.refuse("compares values, which Sluice computes for a Softplus alone");
  }
  return with_function(node, OnnxFunction::is_large);
}

OnnxValue OnnxGraphReader::read_where(const NodeReader& node) {
  const OnnxValue& x = value(node, 1);
  const OnnxValue& softplus = value(node, 2);
  const bool is_softplus = value(node, 0).function == OnnxFunction::is_large &&
                           are_of_one(value(node, 0), x) && are_of_one(x, softplus) &&
                           x.function == OnnxFunction::none && x.is_plain() &&
                           softplus.function == OnnxFunction::softplus && softplus.is_plain();
  if (!is_softplus) node.refuse("chooses values, which Sluice computes for a Softplus alone");
  return softplus;
}

}  // namespace sluice
