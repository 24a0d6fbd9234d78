#include "engine/arrays.h"

#include "base/fail.h"

namespace nb = nanobind;

namespace sluice::python {

Shape shape_of(const Images& images) {
  return {static_cast<std::int64_t>(images.shape(1)), static_cast<std::int64_t>(images.shape(2)),
          static_cast<std::int64_t>(images.shape(3))};
}

LabelledImages viewed(const Images& images) {
  LabelledImages all;
  all.shape = shape_of(images);
  if (images.dtype() == nb::dtype<float>()) {
    all.viewed_values = {static_cast<const float*>(images.data()), images.size()};
  } else if (images.dtype() == nb::dtype<std::uint8_t>()) {
    all.viewed_pixels = {static_cast<const std::uint8_t*>(images.data()), images.size()};
  } else {
    throw user_error("data", "images are neither uint8 nor float32: convert them");
  }
  return all;
}

LabelledImages labelled(const Images& images, const Labels& labels) {
  if (images.shape(0) != labels.size()) {
    throw user_error("data", "there are {} labels for {} images: give one for each", labels.size(),
                     images.shape(0));
  }
  LabelledImages all = viewed(images);
  all.labels.assign(labels.data(), labels.data() + labels.size());
  return all;
}

}  // namespace sluice::python
