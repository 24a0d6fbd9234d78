#pragma once

#include <limits>
#include <optional>
#include <vector>

#include "formats/onnx/node_reader.h"

namespace sluice {

/// Stands in a constant for the number of images, which a file may leave open.
constexpr std::int64_t kBatchSize = std::numeric_limits<std::int64_t>::min();

/// A value that does not depend on the image: a weight, or a list of sizes.
struct OnnxConstant {
  Shape dims;
  bool is_whole = false;
  std::vector<float> reals{};
  std::vector<std::int64_t> wholes{};

  std::size_t size() const { return is_whole ? wholes.size() : reals.size(); }
};

/// The value of a Constant, whose attributes hold it.
OnnxConstant constant_of(const NodeReader& node);

/// The result of a node whose inputs are all constants; nothing for an operation that Sluice does
/// not compute of constants.
std::optional<OnnxConstant> folded(const NodeReader& node,
                                   const std::vector<const OnnxConstant*>& inputs);

/// The axes of a Squeeze, an Unsqueeze or a reduction: an attribute, or in newer files an input.
/// Counted from the front of `rank` axes; sorted.
Shape axes_of(const NodeReader& node, const OnnxConstant* input, std::size_t rank);

/// Shapes after an Unsqueeze and a Squeeze. Without axes, Squeeze takes all of size 1.
Shape unsqueezed(const NodeReader& node, Shape dims, const OnnxConstant* axes);
Shape squeezed(const NodeReader& node, const Shape& dims, const OnnxConstant* axes);

/// Values in the order of other axes: axis i of the result is axis order[i] of `dims`.
template <class T>
std::vector<T> in_axis_order(const std::vector<T>& values, const Shape& dims, const Shape& order) {
  std::vector<std::size_t> strides(dims.size());
  std::size_t stride = 1;
  for (std::size_t i = dims.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= static_cast<std::size_t>(dims[i]);
  }
  std::vector<T> result;
  result.reserve(values.size());
  std::vector<std::int64_t> at(order.size());
  std::size_t from = 0;
  while (result.size() < values.size()) {
    result.push_back(values[from]);
    for (std::size_t i = order.size(); i-- > 0;) {
      const auto axis = static_cast<std::size_t>(order[i]);
      from += strides[axis];
      if (++at[i] < dims[axis]) break;
      from -= strides[axis] * static_cast<std::size_t>(dims[axis]);
      at[i] = 0;
    }
  }
  return result;
}

}  // namespace sluice
