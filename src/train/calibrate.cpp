#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>

#include "base/fail.h"
#include "eval/outputs.h"
#include "graph/layer_types.h"
#include "graph/weights.h"
#include "sluice/evaluation.h"
#include "sluice/trainer.h"

namespace sluice {

namespace {

/// Logarithms of a model's probabilities for examples, which are its logits but for a constant of
/// each example.
class LogProbabilities {
 public:
  LogProbabilities(CompiledModel& model, const Examples& examples)
      : classes_(static_cast<std::size_t>(model.outputs())) {
    constexpr float kLeast = 1e-30F;
    predict_in_batches(model, examples, [&](const Batch& batch, std::span<const float> outputs) {
      labels_.insert(labels_.end(), batch.labels.begin(), batch.labels.end());
      for (const float p : outputs) values_.push_back(std::log(std::max(p, kLeast)));
    });
  }

  /// Summed log loss of the softmax of `scale` times the values.
  double loss(double scale) const {
    double loss = 0;
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      const std::span row = std::span(values_).subspan(i * classes_, classes_);
      const double most = std::ranges::max(row);
      double sum = 0;
      for (const float value : row) sum += std::exp(scale * (value - most));
      loss += std::log(sum) - scale * (row[static_cast<std::size_t>(labels_[i])] - most);
    }
    return loss;
  }

 private:
  std::size_t classes_;
  std::vector<int> labels_;
  std::vector<float> values_;  ///< (examples, classes)
};

/// The inverse temperature with the least loss, which is convex in it.
double best_scale(const LogProbabilities& probabilities) {
  constexpr double kMost = 5;  // of its natural logarithm
  constexpr int kBits = 20;
  const auto loss = [&](double logarithm) { return probabilities.loss(std::exp(logarithm)); };
  return std::exp(boost::math::tools::brent_find_minima(loss, -kMost, kMost, kBits).first);
}

/// Makes the last softmax a layer of its own, behind a Rescaling.
void insert_scale(Sequential& model, double scale) {
  if (auto* dense = std::get_if<Dense>(&model.layers.back())) {
    dense->activation = Activation::linear;
    model.layers.emplace_back(ActivationLayer{"probabilities", Activation::softmax});
  }
  Layer softmax = std::move(model.layers.back());
  model.layers.back() = Rescaling{"inverse_temperature", scale};
  // The softmax takes the layer before it now, and that what the softmax took.
  if (auto inputs = model.inputs.extract(name_of(softmax))) {
    inputs.key() = name_of(model.layers.back());
    model.inputs.insert(std::move(inputs));
  }
  model.layers.push_back(std::move(softmax));
}

}  // namespace

void calibrate(Sequential& model, const Weights& weights, const Examples& examples) {
  require_weights(model, weights);
  const auto compiled =
      compile_for_inference(model, weights, {.batch = throughput_batch(model.input)});
  if (!compiled->ends_in_softmax()) {
    throw user_error("train", "{} does not end in a softmax, whose temperature could be set",
                     model.name);
  }
  if (examples.size() == 0) {
    throw user_error("train", "there are no images to calibrate {} with", model.name);
  }
  require_fit(*compiled, examples);
  insert_scale(model, best_scale(LogProbabilities(*compiled, examples)));
}

}  // namespace sluice
