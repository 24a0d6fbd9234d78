#include "formats/onnx/value.h"

#include <algorithm>

namespace sluice {

Shape OnnxValue::dims() const {
  Shape dims;
  for (const int axis : axes) dims.push_back(axis < 0 ? 1 : shape[static_cast<std::size_t>(axis)]);
  return dims;
}

bool OnnxValue::is_plain() const {
  return scale == std::vector<double>{1} && offset == std::vector<double>{0};
}

bool OnnxValue::is_channels_first() const {
  if (shape.size() != kChannelsFirst.size() || axes.size() != shape.size()) return false;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const int axis = kChannelsFirst[i];
    if (axes[i] != axis && (axes[i] >= 0 || shape[static_cast<std::size_t>(axis)] != 1))
      return false;
  }
  return true;
}

std::vector<std::size_t> OnnxValue::order() const {
  std::vector<std::size_t> order;
  std::size_t begin = 0;
  for (const FlattenedImage& image : flattened) {
    std::vector<std::size_t> strides(image.shape.size(), 1);
    for (std::size_t i = strides.size() - 1; i-- > 0;) {
      strides[i] = strides[i + 1] * static_cast<std::size_t>(image.shape[i + 1]);
    }
    const auto count = static_cast<std::size_t>(element_count(image.shape));
    for (std::size_t n = 0; n < count; ++n) {
      std::size_t rest = n;
      std::size_t place = begin;
      for (std::size_t i = image.axes.size(); i-- > 0;) {
        if (image.axes[i] < 0) continue;
        const auto axis = static_cast<std::size_t>(image.axes[i]);
        const auto size = static_cast<std::size_t>(image.shape[axis]);
        place += rest % size * strides[axis];
        rest /= size;
      }
      order.push_back(place);
    }
    begin += count;
  }
  return order;
}

bool in_order(const Shape& shape, const std::vector<int>& axes) {
  int before = -1;
  for (const int axis : axes) {
    if (axis < 0 || shape[static_cast<std::size_t>(axis)] == 1) continue;
    if (axis < before) return false;
    before = axis;
  }
  return true;
}

}  // namespace sluice
