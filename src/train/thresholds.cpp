#include "graph/thresholds.h"

#include <algorithm>

#include "base/fail.h"
#include "eval/outputs.h"
#include "graph/layer_types.h"
#include "graph/part.h"
#include "graph/weights.h"
#include "graph/wiring.h"
#include "runtime/gating.h"
#include "sluice/evaluation.h"
#include "sluice/trainer.h"

namespace sluice {

namespace {

/// The largest softmax of each example's logits.
std::vector<float> confidences(CompiledModel& model, const Examples& examples) {
  std::vector<float> all;
  const auto classes = static_cast<std::size_t>(model.outputs());
  std::vector<float> probabilities(classes);
  predict_in_batches(model, examples, [&](const Batch&, std::span<const float> logits) {
    for (std::size_t first = 0; first < logits.size(); first += classes) {
      probabilities_of(logits.subspan(first, classes), probabilities);
      all.push_back(std::ranges::max(probabilities));
    }
  });
  return all;
}

}  // namespace

void set_thresholds(const Sequential& model, const Examples& examples, Weights& weights) {
  require_weights(model, weights);
  const std::vector<std::vector<int>> sources = sources_of_layers(model);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const auto* cascade = std::get_if<Cascade>(&model.layers[i]);
    if (cascade == nullptr) continue;
    if (examples.size() == 0 || examples.shape() != model.input) {
      throw user_error("train", "{} takes images of {}, and there are {} of {} for its thresholds",
                       model.name, to_string(model.input), examples.size(),
                       to_string(examples.shape()));
    }
    if (sources[i][1] == kImages) {
      throw user_error("model", "{}: {} takes the images for its first answer: give it a layer's",
                       model.name, cascade->name);
    }
    const Sequential first = part_up_to(model, sources[i][1]);
    const Weights its_weights = weights_of_part(first, weights);
    const auto compiled =
        compile_for_inference(first, its_weights, {.batch = throughput_batch(model.input)});
    std::ranges::copy(thresholds_of(confidences(*compiled, examples)),
                      thresholds_in(weights, cascade->name).begin());
  }
}

}  // namespace sluice
