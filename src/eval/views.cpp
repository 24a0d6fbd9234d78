#include "eval/views.h"

#include <algorithm>
#include <cmath>

namespace sluice {

std::string to_string(Views views) {
  switch (views) {
    case Views::one:
      return "one";
    case Views::mirror:
      return "mirror";
    case Views::mirror_shift:
      break;
  }
  return "mirror+shift";
}

ViewPredictor::ViewPredictor(CompiledModel& model, const Examples& examples, Views views)
    : model_(model), examples_(examples) {
  if (views == Views::mirror) {
    views_ = {{0, false, 0.5f}, {0, true, 0.5f}};
  } else {
    views_ = {{0, false, 0.25f}, {0, true, 0.25f},    {1, false, 0.125f},
              {1, true, 0.125f}, {-1, false, 0.125f}, {-1, true, 0.125f}};
  }
}

std::span<const float> ViewPredictor::predict(std::size_t first, std::size_t rows) {
  const auto outputs = static_cast<std::size_t>(model_.outputs());
  combined_.assign(rows * outputs, 0);
  for (const View& view : views_) {
    fill(view, first, rows);
    const std::span<const float> seen = model_.predict(images_, static_cast<int>(rows));
    // An output of 0 gives minus infinity, and remains 0.
    for (std::size_t i = 0; i < combined_.size(); ++i) {
      combined_[i] += view.weight * std::log(seen[i]);
    }
  }
  for (std::size_t row = 0; row < rows; ++row) {
    const auto scores = std::span(combined_).subspan(row * outputs, outputs);
    const float most = std::ranges::max(scores);
    float sum = 0;
    for (float& score : scores) {
      score = std::isinf(most) ? 0 : std::exp(score - most);
      sum += score;
    }
    for (float& score : scores) score /= std::max(1.f, sum);
  }
  return combined_;
}

void ViewPredictor::fill(const View& view, std::size_t first, std::size_t rows) {
  const Shape& shape = examples_.shape();
  const auto height = static_cast<int>(shape[0]);
  const auto width = static_cast<int>(shape[1]);
  fill_taps({.size = height, .shift = height > 1 ? view.shift : 0}, height, rows_);
  fill_taps({.size = width, .shift = width > 1 ? view.shift : 0, .mirrored = view.mirrored}, width,
            columns_);
  const auto image = static_cast<std::size_t>(element_count(shape));
  images_.resize(rows * image);
  for (std::size_t i = 0; i < rows; ++i) {
    const PixelView pixels = examples_.pixels(first + i);
    place_image(pixels, shape, rows_, columns_, std::span(images_).subspan(i * image, image));
  }
}

}  // namespace sluice
