#include "base/fail.h"
#include "base/timer.h"
#include "data/batching.h"
#include "eval/judge.h"
#include "sluice/evaluation.h"

namespace sluice {

Evaluation evaluate(CompiledModel& model, const Examples& examples) {
  if (examples.size() == 0) throw user_error("evaluate", "there are no images to evaluate on");
  require_output_for_each_class(model, examples);
  Evaluation result{ConfusionMatrix(examples.class_names())};
  const std::vector<std::uint32_t> rows = in_order(examples.size());
  Batch batch;
  const Timer timer;
  for (std::size_t first = 0; first < rows.size(); first += batch.labels.size()) {
    const std::size_t count =
        std::min(rows.size() - first, static_cast<std::size_t>(model.max_batch()));
    fill_batch(examples, std::span(rows).subspan(first, count), batch);
    const std::span<const float> outputs = model.predict(batch.images, batch.size());
    result.loss += summed_loss(model, outputs, batch.labels, {});
    const std::size_t classes = outputs.size() / count;
    for (std::size_t i = 0; i < count; ++i) {
      result.confusion.add(batch.labels[i], predicted_class(outputs.subspan(i * classes, classes)));
    }
  }
  result.seconds = timer.seconds();
  result.images_per_second = static_cast<double>(rows.size()) / result.seconds;
  result.loss /= static_cast<double>(rows.size());
  result.accuracy = result.confusion.accuracy();
  return result;
}

}  // namespace sluice
