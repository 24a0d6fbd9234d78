#pragma once

#include <algorithm>
#include <span>

#include "data/batching.h"
#include "ops/cross_entropy.h"
#include "sluice/dataset.h"
#include "sluice/network.h"

namespace sluice {

/// Throws Error (user) unless there are examples, of the model's input shape, and the model has one
/// output for each class.
void require_fit(const CompiledModel& model, const Examples& examples);

/// Predicts every example, in batches of the model's max_batch(), and calls see(batch, outputs) for
/// each batch.
template <class See>
void predict_in_batches(CompiledModel& model, const Examples& examples, const See& see) {
  const std::vector<std::uint32_t> rows = in_order(examples.size());
  Batch batch;
  for (std::size_t first = 0; first < rows.size(); first += batch.labels.size()) {
    const std::size_t count =
        std::min(rows.size() - first, static_cast<std::size_t>(model.max_batch()));
    fill_batch(examples, std::span(rows).subspan(first, count), batch);
    see(batch, model.predict(batch.images, batch.size()));
  }
}

/// Throws Error (user) unless `scores` are (labels.size(), classes) and each label is a class.
void require_scores(std::span<const float> scores, std::span<const int> labels);

/// Returns the class with the largest output; the first of equal ones, as NumPy's argmax.
int predicted_class(std::span<const float> outputs);

/// Returns for each row of (labels.size(), classes) outputs 1 if its predicted class is its label,
/// else 0.
std::vector<std::uint8_t> which_right(std::span<const float> outputs, std::span<const int> labels);

/// Counts rows of (labels.size(), classes) outputs whose predicted class is their label.
int count_right(std::span<const float> outputs, std::span<const int> labels);

/// Returns the summed categorical cross-entropy of the model's last pass, which gave `outputs`.
/// Unless `gradient` is empty, it gets the gradient of the mean over the labels, for
/// gradient_of(model).
double summed_loss(const CompiledModel& model, std::span<const float> outputs,
                   std::span<const int> labels, std::span<float> gradient,
                   const ops::Targets& targets = {});

/// Tensor that a loss's gradient is for: the logits (fused form) if the model ends in a softmax.
inline GradientOf gradient_of(const CompiledModel& model) {
  return model.ends_in_softmax() ? GradientOf::logits : GradientOf::output;
}

}  // namespace sluice
