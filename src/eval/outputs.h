#pragma once

#include <algorithm>
#include <span>

#include "data/batching.h"
#include "sluice/dataset.h"
#include "sluice/network.h"

namespace sluice {

/// Throws Error (user) unless there are examples, of the model's input, and the model has one
/// output for each class, by which labels count.
void require_fit(const CompiledModel& model, const Examples& examples);

/// Predicts every example, in batches of the model's max_batch(): calls see(batch, outputs) for
/// each.
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

/// Throws Error (user) unless there are as many scores for each label, and the label is one of
/// them.
void require_scores(std::span<const float> scores, std::span<const int> labels);

/// The class with the largest output: of equal ones the first, as NumPy's argmax.
int predicted_class(std::span<const float> outputs);

/// How many of (labels.size(), classes) outputs have their label as predicted class.
int count_right(std::span<const float> outputs, std::span<const int> labels);

/// The summed categorical cross-entropy of the model's last pass, whose outputs are given. Unless
/// `gradient` is empty it becomes that of the mean over the labels, and is for gradient_of(model).
double summed_loss(const CompiledModel& model, std::span<const float> outputs,
                   std::span<const int> labels, std::span<float> gradient);

/// What a loss's gradient belongs to: the fused form where the model has a softmax at its end.
inline GradientOf gradient_of(const CompiledModel& model) {
  return model.ends_in_softmax() ? GradientOf::logits : GradientOf::output;
}

}  // namespace sluice
