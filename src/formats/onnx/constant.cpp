#include "formats/onnx/constant.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"

namespace sluice {
namespace {

constexpr std::size_t kMostAxesOfConstants = 8;

std::int64_t counted_from_front(const NodeReader& node, std::int64_t axis, std::size_t rank) {
  const auto axes = static_cast<std::int64_t>(rank);
  if (axis < -axes || axis >= axes) {
    node.refuse(fmt::format("takes axis {} of {}", axis, rank));
  }
  return axis < 0 ? axis + axes : axis;
}

/// Whole numbers that are sizes: the batch's stays what it is by nothing but 1.
std::int64_t computed(const NodeReader& node, std::int64_t a, std::int64_t b) {
  constexpr std::int64_t kMost = std::int64_t{1} << 31;
  const bool scales = node.op() == "Mul" || node.op() == "Div";
  if (a == kBatchSize && b == (scales ? 1 : 0)) return a;
  if (b == kBatchSize && a == (node.op() == "Mul" ? 1 : 0) && node.op() != "Div" &&
      node.op() != "Sub") {
    return b;
  }
  if (std::max(a, b) > kMost || std::min(a, b) < -kMost) {
    node.refuse("computes with the number of images, or with a number that is no size");
  }
  if (node.op() == "Add") return a + b;
  if (node.op() == "Sub") return a - b;
  if (node.op() == "Mul") return a * b;
  if (b == 0) node.refuse("divides by 0");
  return a / b;
}

float computed(const NodeReader& node, float a, float b) {
  if (node.op() == "Add") return a + b;
  if (node.op() == "Sub") return a - b;
  if (node.op() == "Mul") return a * b;
  return a / b;
}

template <class T>
std::vector<T> by_pairs(const NodeReader& node, const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> results(a.empty() || b.empty() ? 0 : std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < results.size(); ++i) {
    results[i] = computed(node, a[a.size() == 1 ? 0 : i], b[b.size() == 1 ? 0 : i]);
  }
  return results;
}

std::optional<OnnxConstant> arithmetic(const NodeReader& node, const OnnxConstant& a,
                                       const OnnxConstant& b) {
  const bool fits = a.dims == b.dims || a.size() == 1 || b.size() == 1;
  if (a.is_whole != b.is_whole || !fits) return std::nullopt;
  const bool first = a.size() != 1 || b.size() == 1;
  OnnxConstant result{first ? a.dims : b.dims, a.is_whole};
  result.wholes = by_pairs(node, a.wholes, b.wholes);
  result.reals = by_pairs(node, a.reals, b.reals);
  return result;
}

OnnxConstant transposed_constant(const NodeReader& node, const OnnxConstant& input) {
  Shape order(input.dims.size());
  std::iota(order.rbegin(), order.rend(), 0);
  order = node.wholes("perm", order);
  Shape sorted = order;
  std::ranges::sort(sorted);
  Shape all(input.dims.size());
  std::iota(all.begin(), all.end(), 0);
  if (sorted != all) node.refuse("has a perm that is no order of the axes");
  OnnxConstant result{{}, input.is_whole};
  for (const std::int64_t axis : order) {
    result.dims.push_back(input.dims[static_cast<std::size_t>(axis)]);
  }
  result.reals = in_axis_order(input.reals, input.dims, order);
  result.wholes = in_axis_order(input.wholes, input.dims, order);
  return result;
}

OnnxConstant reshaped_constant(const NodeReader& node, OnnxConstant input,
                               const OnnxConstant& target) {
  const auto size = static_cast<std::int64_t>(input.size());
  Shape dims = target.wholes;
  std::int64_t known = 1;
  bool valid = dims.size() <= kMostAxesOfConstants;
  for (std::size_t i = 0; valid && i < dims.size(); ++i) {
    if (dims[i] == 0 && i < input.dims.size()) dims[i] = input.dims[i];
    if (dims[i] == -1) continue;
    valid = dims[i] > 0 && dims[i] <= size && (known *= dims[i]) <= size;
  }
  if (valid) {
    const auto open = std::ranges::find(dims, -1);
    if (open != dims.end()) *open = size / known;
    valid = std::ranges::find(dims, -1) == dims.end() && element_count(dims) == size;
  }
  if (!valid) node.refuse("gives a constant a shape that does not fit");
  input.dims = dims;
  return input;
}

/// Whole numbers alone: of lists of sizes.
OnnxConstant gathered(const NodeReader& node, const OnnxConstant& input,
                      const OnnxConstant& indices) {
  OnnxConstant result{indices.dims, true};
  for (const std::int64_t index : indices.wholes) {
    result.wholes.push_back(input.wholes[static_cast<std::size_t>(
        counted_from_front(node, index, input.wholes.size()))]);
  }
  return result;
}

OnnxConstant sliced(const NodeReader& node, const OnnxConstant& input,
                    const std::vector<const OnnxConstant*>& inputs) {
  const auto size = static_cast<std::int64_t>(input.wholes.size());
  const auto one = [&](std::size_t index, const char* name, std::int64_t otherwise) {
    if (index < inputs.size() && inputs[index] != nullptr) {
      if (inputs[index]->wholes.size() == 1) return inputs[index]->wholes[0];
      node.refuse("cuts a list of sizes along several axes");
    }
    const Shape list = node.wholes(name);
    return list.size() == 1 ? list[0] : otherwise;
  };
  const auto place = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size);
  };
  const std::int64_t begin = place(one(1, "starts", 0));
  const std::int64_t end = std::max(begin, place(one(2, "ends", size)));
  if (one(4, "steps", 1) != 1) node.refuse("cuts a list of sizes in steps");
  OnnxConstant result{{end - begin}, true};
  result.wholes.assign(input.wholes.begin() + begin, input.wholes.begin() + end);
  return result;
}

OnnxConstant concatenated(const std::vector<const OnnxConstant*>& inputs) {
  OnnxConstant result{{}, true};
  for (const OnnxConstant* input : inputs) {
    result.wholes.insert(result.wholes.end(), input->wholes.begin(), input->wholes.end());
  }
  result.dims = {static_cast<std::int64_t>(result.wholes.size())};
  return result;
}

OnnxConstant cast(const NodeReader& node, OnnxConstant input) {
  const auto to = static_cast<int>(node.whole("to", onnx_type::kFloat));
  const OnnxTensor type{"", {}, to, {}};
  if (type.is_whole() == input.is_whole && (type.is_whole() || type.is_real())) return input;
  if (type.is_real()) {
    for (const std::int64_t each : input.wholes) input.reals.push_back(static_cast<float>(each));
    input.wholes.clear();
  } else if (type.is_whole()) {
    for (const float each : input.reals) {
      if (!(std::fabs(each) < 0x1p31f))
        node.refuse("makes a whole number of one that is too large");
      input.wholes.push_back(static_cast<std::int64_t>(each));
    }
    input.reals.clear();
  } else {
    node.refuse(fmt::format("makes constants of type {}, which Sluice does not read", to));
  }
  input.is_whole = type.is_whole();
  return input;
}

}  // namespace

OnnxConstant constant_of(const NodeReader& node) {
  for (const OnnxAttribute& each : node.node().attributes) {
    if (each.name == "value" && each.tensor.size() == 1) {
      const OnnxTensor& tensor = each.tensor.front();
      if (tensor.is_real()) return {tensor.dims, false, reals_of(tensor), {}};
      if (tensor.is_whole()) return {tensor.dims, true, {}, wholes_of(tensor)};
    }
    if (each.name == "value_float") return {{}, false, {each.real}, {}};
    if (each.name == "value_int") return {{}, true, {}, {each.whole}};
    if (each.name == "value_floats") {
      return {{static_cast<std::int64_t>(each.reals.size())}, false, each.reals, {}};
    }
    if (each.name == "value_ints") {
      return {{static_cast<std::int64_t>(each.wholes.size())}, true, {}, each.wholes};
    }
  }
  node.refuse("has no number that Sluice reads");
}

std::optional<OnnxConstant> folded(const NodeReader& node,
                                   const std::vector<const OnnxConstant*>& inputs) {
  const std::string_view op = node.op();
  if (inputs.empty() || inputs[0] == nullptr) return std::nullopt;
  const OnnxConstant& first = *inputs[0];
  const OnnxConstant* second = inputs.size() > 1 ? inputs[1] : nullptr;
  if (op == "Identity") return first;
  if (op == "Cast") return cast(node, first);
  if (op == "Transpose") return transposed_constant(node, first);
  if (op == "Reshape" && second != nullptr) return reshaped_constant(node, first, *second);
  if (op == "Unsqueeze" || op == "Squeeze") {
    OnnxConstant result = first;
    result.dims =
        op == "Squeeze" ? squeezed(node, first.dims, second) : unsqueezed(node, first.dims, second);
    return result;
  }
  if ((op == "Add" || op == "Sub" || op == "Mul" || op == "Div") && second != nullptr) {
    return arithmetic(node, first, *second);
  }
  const bool all_whole = std::ranges::all_of(
      inputs, [](const OnnxConstant* each) { return each == nullptr || each->is_whole; });
  if (!all_whole || first.dims.size() > 1) return std::nullopt;
  if (op == "Gather" && second != nullptr) return gathered(node, first, *second);
  if (op == "Slice") return sliced(node, first, inputs);
  const bool complete =
      std::ranges::all_of(inputs, [](const OnnxConstant* each) { return each != nullptr; });
  if (op == "Concat" && complete) return concatenated(inputs);
  return std::nullopt;
}

Shape axes_of(const NodeReader& node, const OnnxConstant* input, std::size_t rank) {
  Shape axes = input != nullptr ? input->wholes : node.wholes("axes");
  for (std::int64_t& axis : axes) axis = counted_from_front(node, axis, rank);
  std::ranges::sort(axes);
  if (std::ranges::adjacent_find(axes) != axes.end()) node.refuse("takes an axis twice");
  return axes;
}

Shape unsqueezed(const NodeReader& node, Shape dims, const OnnxConstant* axes) {
  const std::size_t count = axes != nullptr ? axes->wholes.size() : node.wholes("axes").size();
  if (count + dims.size() > kMostAxesOfConstants) node.refuse("has too many axes");
  for (const std::int64_t axis : axes_of(node, axes, dims.size() + count)) {
    dims.insert(dims.begin() + axis, 1);
  }
  return dims;
}

Shape squeezed(const NodeReader& node, const Shape& dims, const OnnxConstant* axes) {
  const Shape taken = axes_of(node, axes, dims.size());
  Shape result;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const bool named = std::ranges::find(taken, static_cast<std::int64_t>(i)) != taken.end();
    if (named && dims[i] != 1) node.refuse(fmt::format("takes away an axis of size {}", dims[i]));
    if (!(taken.empty() ? dims[i] == 1 : named)) result.push_back(dims[i]);
  }
  return result;
}

}  // namespace sluice
