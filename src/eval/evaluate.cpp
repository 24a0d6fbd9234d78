#include <algorithm>

#include "base/fail.h"
#include "base/timer.h"
#include "eval/outputs.h"
#include "eval/views.h"
#include "ops/cross_entropy.h"
#include "sluice/evaluation.h"

namespace sluice {

int throughput_batch(const Shape& input) {
  constexpr std::int64_t kLeast = 8;
  constexpr std::int64_t kMost = 256;
  constexpr std::int64_t kValues = kMost * 32 * 32 * 3;
  return static_cast<int>(
      std::clamp(kValues / std::max<std::int64_t>(1, element_count(input)), kLeast, kMost));
}

namespace {

void add_expert_use(const CompiledModel& model, std::span<const float> outputs,
                    std::span<const int> labels, Evaluation& result) {
  const std::vector<ExpertShares> layers = model.expert_shares();
  const std::size_t classes = outputs.size() / labels.size();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const ExpertShares& layer = layers[l];
    const std::size_t experts = layer.experts.size();
    if (result.experts.size() == l) {
      result.experts.push_back({layer.layer, layer.experts, {}, 0, layer.mixed});
      result.experts.back().counts.resize(classes * experts);
    }
    ExpertUse& use = result.experts[l];
    use.examples += static_cast<std::int64_t>(labels.size());
    for (std::size_t row = 0; row < labels.size(); ++row) {
      const bool right = predicted_class(outputs.subspan(row * classes, classes)) == labels[row];
      for (std::size_t e = 0; e < experts; ++e) {
        const double share = layer.shares[row * experts + e];
        ExpertUse::Count& count = use.counts[static_cast<std::size_t>(labels[row]) * experts + e];
        count.taken += share;
        if (right) count.right += share;
      }
    }
  }
}

}  // namespace

ExpertUse::Count ExpertUse::of_all(std::size_t expert) const {
  Count all;
  for (std::size_t i = expert; i < counts.size(); i += experts.size()) {
    all.taken += counts[i].taken;
    all.right += counts[i].right;
  }
  return all;
}

std::vector<std::size_t> starved_experts(const ExpertUse& use) {
  double taken = 0;
  for (const ExpertUse::Count& count : use.counts) taken += count.taken;
  const auto experts = static_cast<double>(use.experts.size());
  std::vector<std::size_t> starved;
  for (std::size_t e = 0; e < use.experts.size(); ++e) {
    if (10 * experts * use.of_all(e).taken < taken) starved.push_back(e);
  }
  return starved;
}

Evaluation evaluate(CompiledModel& model, const Examples& examples, Views views) {
  if (examples.size() == 0) throw user_error("evaluate", "there are no images to evaluate on");
  require_fit(model, examples);
  Evaluation result{ConfusionMatrix(examples.class_names())};
  const auto images = static_cast<double>(examples.size());
  const Timer timer;
  const auto add = [&](std::span<const int> labels, std::span<const float> outputs, double loss) {
    result.loss += loss;
    const std::size_t classes = outputs.size() / labels.size();
    for (std::size_t i = 0; i < labels.size(); ++i) {
      result.confusion.add(labels[i], predicted_class(outputs.subspan(i * classes, classes)));
    }
  };
  if (views == Views::one) {
    predict_in_batches(model, examples, [&](const Batch& batch, std::span<const float> outputs) {
      add(batch.labels, outputs, summed_loss(model, outputs, batch.labels, {}));
      add_expert_use(model, outputs, batch.labels, result);
    });
  } else {
    std::vector<int> labels;
    const auto add_views = [&](std::size_t first, std::span<const float> outputs) {
      labels.resize(outputs.size() / static_cast<std::size_t>(model.outputs()));
      for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = examples.label(first + i);
      add(labels, outputs, ops::cross_entropy_from_outputs(outputs, labels, 1, {}));
    };
    predict_views_in_batches(model, examples, views, add_views);
  }
  result.seconds = timer.seconds();
  result.images_per_second = images / result.seconds;
  result.loss /= images;
  result.accuracy = result.confusion.accuracy();
  return result;
}

}  // namespace sluice
