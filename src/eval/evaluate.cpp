#include <algorithm>

#include "base/fail.h"
#include "base/timer.h"
#include "eval/outputs.h"
#include "sluice/evaluation.h"

namespace sluice {

int throughput_batch(const Shape& input) {
  constexpr std::int64_t kLeast = 8;
  constexpr std::int64_t kMost = 256;
  constexpr std::int64_t kValues = kMost * 32 * 32 * 3;
  return static_cast<int>(
      std::clamp(kValues / std::max<std::int64_t>(1, element_count(input)), kLeast, kMost));
}

Evaluation evaluate(CompiledModel& model, const Examples& examples) {
  if (examples.size() == 0) throw user_error("evaluate", "there are no images to evaluate on");
  require_fit(model, examples);
  Evaluation result{ConfusionMatrix(examples.class_names())};
  const auto images = static_cast<double>(examples.size());
  const Timer timer;
  predict_in_batches(model, examples, [&](const Batch& batch, std::span<const float> outputs) {
    result.loss += summed_loss(model, outputs, batch.labels, {});
    const std::size_t classes = outputs.size() / batch.labels.size();
    for (std::size_t i = 0; i < batch.labels.size(); ++i) {
      result.confusion.add(batch.labels[i], predicted_class(outputs.subspan(i * classes, classes)));
    }
  });
  result.seconds = timer.seconds();
  result.images_per_second = images / result.seconds;
  result.loss /= images;
  result.accuracy = result.confusion.accuracy();
  return result;
}

}  // namespace sluice
