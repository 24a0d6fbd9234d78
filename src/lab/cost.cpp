#include <algorithm>
#include <array>

#include "base/fail.h"
#include "base/timer.h"
#include "data/batching.h"
#include "sluice/lab/verdict.h"

namespace sluice {

namespace {

/// Operations that the backward pass of an image needs.
double backward_flops(const Sequential& model) {
  double flops = 0;
  bool learns = false;  // this layer or one before it
  for (const LayerSummary& layer : summarize(model)) {
    const bool is_trained = std::ranges::any_of(layer.tensors, &TensorSpec::trained);
    learns |= is_trained;
    if (is_trained) flops += layer.training_flops;
    if (learns) flops += layer.training_flops;
  }
  return flops;
}

}  // namespace

Cost& Cost::operator+=(const Cost& other) {
  parameters += other.parameters;
  active_parameters += other.active_parameters;
  flops += other.flops;
  active_flops += other.active_flops;
  training_flops += other.training_flops;
  return *this;
}

Cost cost_of(const Sequential& model) {
  const std::int64_t parameters = count_parameters(model);
  std::int64_t idle = 0;
  double training = 0;
  for (const LayerSummary& layer : summarize(model)) {
    idle += layer.idle_parameters;
    training += layer.training_flops;
  }
  return {parameters, parameters - idle, training, count_flops(model),
          training + backward_flops(model)};
}

Cost cost_of(const Mixture& model) {
  Cost cost = cost_of(model.gate);
  cost.training_flops = cost.flops;  // joint training does not change the gate
  cost += cost_of(model.baseline);
  Cost dearest;
  for (const Mixture::Branch& branch : model.branches) {
    Cost asked = cost_of(branch.expert);
    asked += cost_of(branch.importance);
    cost.parameters += asked.parameters;
    cost.flops += asked.flops;
    if (asked.flops > dearest.flops) dearest = asked;
  }
  dearest.parameters = dearest.flops = 0;  // counted above, with those of every group
  return cost += dearest;
}

double latency_ms(CompiledModel& model, const Examples& examples) {
  constexpr std::size_t kWarmUp = 5;
  constexpr std::size_t kMeasured = 100;
  constexpr std::size_t kTimes = 3;
  if (examples.size() == 0) throw user_error("model", "there are no images to measure it with");
  const std::vector<std::uint32_t> rows = in_order(examples.size());
  double sum = 0;
  Batch batch;
  for (std::size_t i = 0; i < kWarmUp + kMeasured; ++i) {
    fill_batch(examples, std::span(rows).subspan(i % rows.size(), 1), batch);
    std::array<double, kTimes> seconds{};
    for (double& each : seconds) {
      const Timer timer;
      model.predict(batch.images, 1);
      each = timer.seconds();
    }
    std::ranges::nth_element(seconds, seconds.begin() + kTimes / 2);
    if (i >= kWarmUp) sum += seconds[kTimes / 2];
  }
  return 1000 * sum / kMeasured;
}

}  // namespace sluice
