#include "runtime/checks.h"

#include "base/fail.h"

namespace sluice {

void require_batch(const CompiledModel& model, std::span<const float> images, int count) {
  if (count < 1 || count > model.max_batch()) {
    throw user_error("predict", "{} images for a model compiled for 1 to {}: compile it for more",
                     count, model.max_batch());
  }
  const auto wanted = static_cast<std::size_t>(count * element_count(model.input_shape()));
  if (images.size() == wanted) return;
  throw user_error("predict", "{} values for {} images of {}: give {}", images.size(), count,
                   to_string(model.input_shape()), wanted);
}

void require_logits(const CompiledModel& model, int count) {
  if (!model.ends_in_softmax()) {
    throw user_error("predict", "the model does not end in a softmax: it has no logits");
  }
  if (count == 0) throw user_error("predict", "there are no logits before predict() or forward()");
}

void require_gradient(const CompiledModel& model, std::span<const float> gradient, int count,
                      GradientOf where) {
  if (count == 0) {
    throw user_error("train",
                     "there is no pass that a gradient could belong to: call forward() first, "
                     "on a model compiled for training");
  }
  if (where == GradientOf::logits && !model.ends_in_softmax()) {
    throw user_error("train", "the model has no logits: give the gradient of its output");
  }
  const auto wanted = static_cast<std::size_t>(count) * static_cast<std::size_t>(model.outputs());
  if (gradient.size() == wanted) return;
  throw user_error("train", "a gradient of {} values for {} images with {} outputs: give {}",
                   gradient.size(), count, model.outputs(), wanted);
}

}  // namespace sluice
