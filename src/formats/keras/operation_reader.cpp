#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.h"
#include "formats/keras/layer_reader.h"
#include "graph/activation.h"

namespace sluice {

namespace {

using Json = nlohmann::json;

bool is_tensor(const Json& argument) {
  return argument.is_object() && argument.contains("tensor");
}

/// A number, or numbers of the last axis: as they are, or in Keras's object around an array.
std::vector<double> constants(const Json& argument) {
  const Json* value = &argument;
  if (value->is_object() && value->contains("config")) value = &(*value)["config"];
  if (value->is_object() && value->contains("value")) value = &(*value)["value"];
  while (value->is_array() && value->size() == 1 && value->front().is_array()) {
    value = &value->front();
  }
  std::vector<double> numbers;
  if (value->is_number()) return {value->get<double>()};
  if (!value->is_array()) return {};
  for (const Json& number : *value) {
    if (!number.is_number()) return {};
    numbers.push_back(number.get<double>());
  }
  return numbers;
}

/// x * scale + offset as a layer: a number of each for all channels, or one for each channel.
std::optional<Layer> affine(const std::vector<double>& scale, const std::vector<double>& offset,
                            std::size_t channels) {
  const auto is_finite = [](double value) { return std::isfinite(value); };
  if (!std::ranges::all_of(scale, is_finite) || !std::ranges::all_of(offset, is_finite)) return {};
  if (scale.size() == 1 && offset.size() == 1) return Rescaling{"", scale[0], offset[0]};
  Normalization layer;
  for (std::size_t c = 0; c < channels; ++c) {
    const double factor = scale[scale.size() == 1 ? 0 : c];
    if (!(factor > 0)) return {};
    layer.mean.push_back(-offset[offset.size() == 1 ? 0 : c] / factor);
    layer.variance.push_back(1 / (factor * factor));
  }
  return layer;
}

/// What arithmetic with constants is; nothing where it is no such layer. `first` if the constants
/// come first: 1 - x.
std::optional<Layer> arithmetic(const std::string& name, std::vector<double> values, bool first,
                                std::size_t channels) {
  if (values.empty() || (values.size() != 1 && values.size() != channels)) return {};
  const auto negative = [&] {
    for (double& value : values) value = -value;
    return values;
  };
  if (name == "multiply") return affine(values, {0}, channels);
  if (name == "add") return affine({1}, values, channels);
  if (name == "subtract") {
    return first ? affine({-1}, values, channels) : affine({1}, negative(), channels);
  }
  if (first) return {};
  for (double& value : values) value = 1 / value;
  return affine(values, {0}, channels);
}

}  // namespace

bool LayerReader::casts_to_float(const KerasCall& call) const {
  const Json& named = call.argument(1, {"dtype"});
  const Json& type = named.is_null() ? get("dtype") : named;
  return type.is_string() && type.get<std::string>().find("float") != std::string::npos;
}

Layer LayerReader::operation(const std::string& name, const KerasCall& call, const Shape& input,
                             std::size_t inputs) const {
  static const std::set<std::string> kArithmetic{"add", "subtract", "multiply", "true_divide"};
  // Those of keras.ops that have no other settings, or are refused with others.
  static const std::set<std::string> kActivations{"relu", "relu6",    "softmax",  "sigmoid", "tanh",
                                                  "silu", "softplus", "softsign", "selu"};
  const Json& a = call.argument(0, {"x", "x1"});
  const Json& b = call.argument(1, {"y", "x2"});
  if (kArithmetic.contains(name) && inputs == 1 && is_tensor(a) != is_tensor(b)) {
    const auto layer = arithmetic(name, constants(is_tensor(a) ? b : a), is_tensor(b),
                                  static_cast<std::size_t>(input.back()));
    if (layer) return *layer;
  }
  if (inputs == 2 && is_tensor(a) && is_tensor(b)) {
    if (name == "add") return Add{};
    if (name == "multiply") return Multiply{};
  }
  const Json& named_axis = call.argument(1, {"axis"});
  const Json& axis = named_axis.is_null() ? get("axis") : named_axis;
  const bool last_axis = axis.is_null() || axis == -1 || axis == input.size();
  if (name == "concatenate" && inputs > 1 && last_axis) return Concatenate{};
  if (kActivations.contains(name) && inputs == 1 && last_axis) {
    return ActivationLayer{"", *activation_of(name)};
  }
  refuse(fmt::format(
      "is the operation {}; Sluice computes +, -, * and / with numbers, add, multiply, concatenate "
      "along the last axis, and activations",
      one_line(name)));
}

}  // namespace sluice
