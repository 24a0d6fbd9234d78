#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "sluice/shape.h"

namespace sluice {

/// A small array, row-major: what the operations that join a mixture's parts are checked with.
struct Array {
  Shape shape;
  std::vector<double> values;

  std::size_t rank() const { return shape.size(); }
};

/// Operations as in keras.ops. Each throws Error (user), without a place, for shapes that do not
/// fit, and where all of them together would compute more than `most_values`.
class ArrayOps {
 public:
  explicit ArrayOps(std::size_t most_values) : left_(most_values) {}

  /// An array of zeros.
  Array zeros(const Shape& shape);
  /// Value by value, after broadcasting.
  Array map(const Array& a, const Array& b, const std::function<double(double, double)>& f);
  Array map(const Array& a, const std::function<double(double)>& f);
  Array where(const Array& condition, const Array& a, const Array& b);
  /// The same values in another shape; one size may be -1.
  Array reshape(const Array& a, Shape shape);
  Array transpose(const Array& a, const std::vector<std::size_t>& axes);
  Array concatenate(const std::vector<const Array*>& arrays, std::int64_t axis);
  Array expand_dims(const Array& a, std::int64_t axis);
  /// Combines the values along an axis, which becomes 1, with `f`.
  Array reduce(const Array& a, std::int64_t axis, const std::function<double(double, double)>& f);
  /// The index of the first of the largest values along an axis, which becomes 1.
  Array argmax(const Array& a, std::int64_t axis);
  /// The elements of an axis at these places.
  Array take(const Array& a, std::int64_t axis, const std::vector<std::int64_t>& places);

 private:
  void spend(std::size_t values);

  std::size_t left_;
};

/// An axis counted from the start; `axes` are those to choose from. Throws Error (user).
std::size_t axis_of(std::int64_t axis, std::size_t axes);

}  // namespace sluice
