#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include "sluice/dataset.h"

namespace sluice::python {

/// (count, height, width, channels): uint8, or float32 values as a model gets them.
using Images =
    nanobind::ndarray<nanobind::ro, nanobind::ndim<4>, nanobind::c_contig, nanobind::device::cpu>;
/// (count)
using Labels = nanobind::ndarray<const std::int32_t, nanobind::ndim<1>, nanobind::c_contig,
                                 nanobind::device::cpu>;
using Values = nanobind::ndarray<const float, nanobind::c_contig, nanobind::device::cpu>;
template <class Value>
using Array = nanobind::ndarray<nanobind::numpy, Value>;

/// Returns a NumPy array that owns its values.
template <class Value>
Array<Value> array_of(std::vector<Value> values, const std::vector<std::size_t>& shape) {
  auto* own = new std::vector<Value>(std::move(values));
  const nanobind::capsule owner(
      own, [](void* data) noexcept { delete static_cast<std::vector<Value>*>(data); });
  return Array<Value>(own->data(), shape.size(), shape.data(), owner);
}

Shape shape_of(const Images& images);

/// Returns images that stay where they are, without labels: the array must outlive them. Throws
/// Error (user) for values of another type.
LabelledImages viewed(const Images& images);

/// The same with labels, which are copied. Throws Error (user) if there is not one for each image.
LabelledImages labelled(const Images& images, const Labels& labels);

}  // namespace sluice::python
