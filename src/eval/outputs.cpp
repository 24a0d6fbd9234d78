#include "eval/outputs.h"

#include <algorithm>

#include "base/fail.h"

namespace sluice {

void require_fit(const CompiledModel& model, const Examples& examples) {
  if (examples.size() == 0) throw user_error("model", "there are no images for it: give some");
  if (examples.shape() != model.input_shape()) {
    throw user_error("model", "it takes images of {}, but these are of {}: resize them",
                     to_string(model.input_shape()), to_string(examples.shape()));
  }
  const std::size_t classes = examples.class_names().size();
  if (static_cast<std::size_t>(model.outputs()) == classes) return;
  throw user_error("model",
                   "it has {} outputs, but the images have {} classes: give it one for each",
                   model.outputs(), classes);
}

void require_scores(std::span<const float> scores, std::span<const int> labels) {
  const std::size_t classes = scores.size() / std::max<std::size_t>(1, labels.size());
  const auto fits = [&](int label) {
    return label >= 0 && static_cast<std::size_t>(label) < classes;
  };
  if (classes * labels.size() == scores.size() && std::ranges::all_of(labels, fits)) return;
  throw user_error("evaluate",
                   "{} scores for {} labels, or a label without a score: give (labels, "
                   "classes)",
                   scores.size(), labels.size());
}

int predicted_class(std::span<const float> outputs) {
  return static_cast<int>(std::ranges::max_element(outputs) - outputs.begin());
}

std::vector<std::uint8_t> which_right(std::span<const float> outputs, std::span<const int> labels) {
  const std::size_t classes = outputs.size() / std::max<std::size_t>(1, labels.size());
  std::vector<std::uint8_t> right;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    right.push_back(predicted_class(outputs.subspan(n * classes, classes)) == labels[n]);
  }
  return right;
}

int count_right(std::span<const float> outputs, std::span<const int> labels) {
  return static_cast<int>(std::ranges::count(which_right(outputs, labels), 1));
}

double summed_loss(const CompiledModel& model, std::span<const float> outputs,
                   std::span<const int> labels, std::span<float> gradient,
                   const ops::Targets& targets) {
  const float scale = 1.f / static_cast<float>(labels.size());
  return model.ends_in_softmax()
             ? ops::cross_entropy_from_logits(model.logits(), labels, scale, gradient, targets)
             : ops::cross_entropy_from_outputs(outputs, labels, scale, gradient, targets);
}

}  // namespace sluice
