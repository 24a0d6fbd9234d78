#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "data/augment/image_changes.h"
#include "sluice/evaluation.h"

namespace sluice {

constexpr Views kAllViews[] = {Views::one, Views::mirror, Views::mirror_shift};

/// Predicts views of the same images, and combines the outputs. Reuses its memory.
class ViewPredictor {
 public:
  ViewPredictor(CompiledModel& model, const Examples& examples, Views views);

  /// Predicts the `rows` examples from `first` on, and returns (rows, outputs), valid until the
  /// next call.
  std::span<const float> predict(std::size_t first, std::size_t rows);

 private:
  struct View {
    int shift;  ///< along both axes
    bool mirrored;
    float weight;  ///< the weights sum to 1
  };

  void fill(const View& view, std::size_t first, std::size_t rows);

  CompiledModel& model_;
  const Examples& examples_;
  std::vector<View> views_;
  std::vector<Tap> rows_;
  std::vector<Tap> columns_;
  std::vector<float> images_;
  std::vector<float> combined_;
};

/// Predicts as predict_in_batches(), but with views, and calls see(first example, outputs).
template <class See>
void predict_views_in_batches(CompiledModel& model, const Examples& examples, Views views,
                              const See& see) {
  ViewPredictor predictor(model, examples, views);
  const auto most = static_cast<std::size_t>(model.max_batch());
  for (std::size_t first = 0; first < examples.size(); first += most) {
    see(first, predictor.predict(first, std::min(most, examples.size() - first)));
  }
}

}  // namespace sluice
