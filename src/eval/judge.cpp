#include "eval/judge.h"

#include <algorithm>

#include "base/fail.h"
#include "ops/cross_entropy.h"

namespace sluice {

void require_output_for_each_class(const CompiledModel& model, const Examples& examples) {
  const std::size_t classes = examples.class_names().size();
  if (static_cast<std::size_t>(model.outputs()) == classes) return;
  throw user_error("model", "it has {} outputs, but the images {} classes: one for each is needed",
                   model.outputs(), classes);
}

int predicted_class(std::span<const float> outputs) {
  return static_cast<int>(std::ranges::max_element(outputs) - outputs.begin());
}

int count_right(std::span<const float> outputs, std::span<const int> labels) {
  const std::size_t classes = outputs.size() / labels.size();
  int right = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    right += predicted_class(outputs.subspan(n * classes, classes)) == labels[n];
  }
  return right;
}

double summed_loss(const CompiledModel& model, std::span<const float> outputs,
                   std::span<const int> labels, std::span<float> gradient) {
  const float scale = 1.f / static_cast<float>(labels.size());
  return model.ends_in_softmax()
             ? ops::cross_entropy_from_logits(model.logits(), labels, scale, gradient)
             : ops::cross_entropy_from_outputs(outputs, labels, scale, gradient);
}

}  // namespace sluice
