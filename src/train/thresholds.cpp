#include "train/thresholds.h"

#include <algorithm>
#include <cmath>

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

float threshold_of(std::vector<float> values, double share) {
  const auto below =
      static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size())));
  if (below >= values.size()) return kAllGoOn;
  const auto it = values.begin() + static_cast<std::ptrdiff_t>(below);
  std::ranges::nth_element(values, it);
  return *it;
}

namespace {

const Weights::Tensor& threshold_tensor(const Cascade& cascade, const Weights& weights) {
  return *std::ranges::find_if(weights.tensors(), [&](const Weights::Tensor& tensor) {
    return tensor.layer == cascade.name && tensor.kind == "threshold";
  });
}

}  // namespace

float threshold(const Cascade& cascade, const Weights& weights) {
  return weights.values(threshold_tensor(cascade, weights))[0];
}

void set_threshold(const Cascade& cascade, float threshold, Weights& weights) {
  weights.values(threshold_tensor(cascade, weights))[0] = threshold;
}

void set_thresholds(const Sequential& model, const Examples& examples, Weights& weights) {
  require_weights(model, weights);
  const std::vector<std::vector<int>> sources = sources_of_layers(model);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const auto* cascade = std::get_if<Cascade>(&model.layers[i]);
    if (cascade == nullptr) continue;
    if (examples.size() == 0 || examples.shape() != model.input) {
      throw user_error("train", "{} takes images of {}, and there are {} of {} for its threshold",
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
    const float threshold = threshold_of(confidences(*compiled, examples), cascade->share);
    set_threshold(*cascade, threshold, weights);
  }
}

}  // namespace sluice
