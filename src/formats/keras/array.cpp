#include "formats/keras/array.h"

#include <algorithm>

#include "base/fail.h"

namespace sluice {

namespace {

Error array_misfit(const Shape& a, const Shape& b) {
  return user_error("keras", "{} does not fit {}", to_string(a), to_string(b));
}

/// For a row-major shape the number of values that a step along each axis passes.
std::vector<std::size_t> steps_of(const Shape& shape) {
  std::vector<std::size_t> steps(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) {
    steps[i - 1] = steps[i] * static_cast<std::size_t>(shape[i]);
  }
  return steps;
}

Shape broadcast(const Shape& a, const Shape& b) {
  Shape shape(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t of_a = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t of_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (of_a != of_b && of_a != 1 && of_b != 1) throw array_misfit(a, b);
    shape[shape.size() - 1 - i] = of_a == 1 ? of_b : of_a;
  }
  return shape;
}

/// Where the value at `index` of `shape` is in an array that was broadcast to it.
std::size_t source_of(std::size_t index, const Shape& shape, const Array& array) {
  std::size_t source = 0;
  std::size_t step = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto size = static_cast<std::size_t>(shape[shape.size() - 1 - i]);
    if (i < array.rank()) {
      const auto own = static_cast<std::size_t>(array.shape[array.rank() - 1 - i]);
      source += (own == 1 ? 0 : index % size) * step;
      step *= own;
    }
    index /= size;
  }
  return source;
}

}  // namespace

std::size_t axis_of(std::int64_t axis, std::size_t axes) {
  const auto count = static_cast<std::int64_t>(axes);
  if (axis < -count || axis >= count) throw user_error("keras", "there is no axis {}", axis);
  return static_cast<std::size_t>(axis < 0 ? axis + count : axis);
}

void ArrayOps::spend(std::size_t values) {
  if (values > left_) throw user_error("keras", "it computes more than a mixture's end does");
  left_ -= values;
}

Array ArrayOps::zeros(const Shape& shape) {
  constexpr std::size_t kMostArrayAxes = 8;
  std::size_t count = 1;
  bool fits = shape.size() <= kMostArrayAxes;
  for (const std::int64_t size : shape) {
    fits = fits && size > 0 && static_cast<std::size_t>(size) <= left_ / count;
    if (fits) count *= static_cast<std::size_t>(size);
  }
  spend(fits ? count : left_ + 1);
  return {shape, std::vector<double>(count)};
}

Array ArrayOps::map(const Array& a, const Array& b,
                    const std::function<double(double, double)>& f) {
  Array result = zeros(broadcast(a.shape, b.shape));
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    result.values[i] =
        f(a.values[source_of(i, result.shape, a)], b.values[source_of(i, result.shape, b)]);
  }
  return result;
}

Array ArrayOps::map(const Array& a, const std::function<double(double)>& f) {
  Array result = zeros(a.shape);
  std::ranges::transform(a.values, result.values.begin(), f);
  return result;
}

Array ArrayOps::where(const Array& condition, const Array& a, const Array& b) {
  Array result = zeros(broadcast(broadcast(condition.shape, a.shape), b.shape));
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    const bool first = condition.values[source_of(i, result.shape, condition)] != 0;
    const Array& from = first ? a : b;
    result.values[i] = from.values[source_of(i, result.shape, from)];
  }
  return result;
}

Array ArrayOps::reshape(const Array& a, Shape shape) {
  std::size_t known = 1;
  std::int64_t* open = nullptr;
  for (std::int64_t& size : shape) {
    if (size == -1 && open == nullptr) {
      open = &size;
    } else if (size < 1 || static_cast<std::size_t>(size) > a.values.size() / known) {
      throw array_misfit(a.shape, shape);
    } else {
      known *= static_cast<std::size_t>(size);
    }
  }
  if (open != nullptr) *open = static_cast<std::int64_t>(a.values.size() / known);
  Array result = zeros(shape);
  if (result.values.size() != a.values.size()) throw array_misfit(a.shape, shape);
  result.values = a.values;
  return result;
}

Array ArrayOps::transpose(const Array& a, const std::vector<std::size_t>& axes) {
  std::vector<std::size_t> sorted = axes;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] != i) throw user_error("keras", "it transposes axes that are not there");
  }
  if (axes.size() != a.rank()) throw user_error("keras", "it transposes axes that are not there");
  Shape shape;
  for (const std::size_t axis : axes) shape.push_back(a.shape[axis]);
  Array result = zeros(shape);
  const std::vector<std::size_t> from = steps_of(a.shape);
  const std::vector<std::size_t> to = steps_of(shape);
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    std::size_t source = 0;
    for (std::size_t d = 0; d < axes.size(); ++d) {
      source += i / to[d] % static_cast<std::size_t>(shape[d]) * from[axes[d]];
    }
    result.values[i] = a.values[source];
  }
  return result;
}

Array ArrayOps::concatenate(const std::vector<const Array*>& arrays, std::int64_t axis) {
  if (arrays.empty()) throw user_error("keras", "it joins nothing");
  const std::size_t along = axis_of(axis, arrays[0]->rank());
  Shape shape = arrays[0]->shape;
  for (std::size_t i = 1; i < arrays.size(); ++i) {
    Shape other = arrays[i]->shape;
    if (other.size() != shape.size()) throw array_misfit(other, shape);
    shape[along] += other[along];
    other[along] = shape[along];
    if (other != shape) throw array_misfit(arrays[i]->shape, shape);
  }
  Array result = zeros(shape);
  const std::size_t rows = steps_of(shape)[along] * static_cast<std::size_t>(shape[along]);
  std::size_t begin = 0;
  for (const Array* array : arrays) {
    const std::size_t block =
        steps_of(array->shape)[along] * static_cast<std::size_t>(array->shape[along]);
    for (std::size_t i = 0; i < array->values.size(); ++i) {
      result.values[i / block * rows + begin + i % block] = array->values[i];
    }
    begin += block;
  }
  return result;
}

Array ArrayOps::expand_dims(const Array& a, std::int64_t axis) {
  Shape shape = a.shape;
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis_of(axis, a.rank() + 1)), 1);
  return reshape(a, shape);
}

Array ArrayOps::reduce(const Array& a, std::int64_t axis,
                       const std::function<double(double, double)>& f) {
  spend(a.values.size());
  const std::size_t along = axis_of(axis, a.rank());
  Shape shape = a.shape;
  shape[along] = 1;
  Array result = zeros(shape);
  const std::size_t step = steps_of(a.shape)[along];
  const std::size_t block = step * static_cast<std::size_t>(a.shape[along]);
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    double& to = result.values[i / block * step + i % step];
    to = i % block < step ? a.values[i] : f(to, a.values[i]);
  }
  return result;
}

Array ArrayOps::argmax(const Array& a, std::int64_t axis) {
  const std::size_t along = axis_of(axis, a.rank());
  const Array largest = reduce(a, axis, [](double x, double y) { return std::max(x, y); });
  const std::size_t step = steps_of(a.shape)[along];
  const std::size_t block = step * static_cast<std::size_t>(a.shape[along]);
  Array result = map(largest, [](double) { return -1.0; });
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const std::size_t at = i / block * step + i % step;
    if (result.values[at] < 0 && a.values[i] == largest.values[at]) {
      const std::size_t place = i % block / step;
      result.values[at] = static_cast<double>(place);
    }
  }
  return result;
}

Array ArrayOps::take(const Array& a, std::int64_t axis, const std::vector<std::int64_t>& places) {
  const std::size_t along = axis_of(axis, a.rank());
  Shape shape = a.shape;
  shape[along] = static_cast<std::int64_t>(places.size());
  Array result = zeros(shape);
  const std::size_t step = steps_of(a.shape)[along];
  const std::size_t block = step * static_cast<std::size_t>(a.shape[along]);
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    const std::size_t row = i / step / places.size();
    const auto place = static_cast<std::size_t>(places[i / step % places.size()]);
    result.values[i] = a.values[row * block + place * step + i % step];
  }
  return result;
}

}  // namespace sluice
