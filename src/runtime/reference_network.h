#pragma once

#include <memory>

#include "graph/operations.h"
#include "graph/weights.h"
#include "graph/wiring.h"
#include "ops/reference/reference.h"
#include "runtime/gating.h"

namespace sluice::reference {

/// A Sequential in plain loops and double precision, without dropout: the oracle of network tests.
class ReferenceNetwork {
 public:
  ReferenceNetwork(const Sequential& model, const Weights& weights) {
    for (const PlacedOperation& operation : operations_of(model)) {
      steps_.push_back({operation, {}, {}, {}, 0});
    }
    for (const Weights::Tensor& tensor : weights.tensors()) {
      const auto values = weights.values(tensor);
      parameters_.emplace_back(values.begin(), values.end());
      trained_.push_back(tensor.trained);
    }
  }

  /// (n, outputs). In training, normalisation is by the batch.
  Values forward(const Values& images, int n, bool training = false) {
    n_ = n;
    training_ = training;
    next_parameter_ = 0;
    for (Step& step : steps_) {
      step.src.clear();
      for (const int source : step.placed.sources) {
        step.src.push_back(source == kImages ? images : steps_[source].dst);
      }
      step.first_parameter = next_parameter_;
      step.dst = std::visit([&](const auto& operation) { return run(operation, step); },
                            step.placed.operation);
    }
    return steps_.back().dst;
  }

  /// The gradients of sum(output * diff) for every trained parameter, in the order of Weights.
  std::vector<float> backward(const Values& diff) {
    gradients_.assign(parameters_.size(), {});
    for (Step& step : steps_) step.diff.clear();
    diff_images_.clear();
    steps_.back().diff = diff;
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
      next_parameter_ = step->first_parameter;
      const std::vector<Values> diffs =
          std::visit([&](const auto& operation) { return all_of(undo(operation, *step)); },
                     step->placed.operation);
      for (std::size_t i = 0; i < diffs.size(); ++i) {
        const int source = step->placed.sources[i];
        add(diffs[i], source == kImages ? diff_images_ : steps_[source].diff);
      }
    }
    std::vector<float> all;
    for (std::size_t i = 0; i < gradients_.size(); ++i) {
      if (trained_[i]) all.insert(all.end(), gradients_[i].begin(), gradients_[i].end());
    }
    return all;
  }

  /// After backward(): the gradient for the images.
  const Values& diff_images() const { return diff_images_; }

 private:
  /// An expert, and the images that chose it.
  struct Expert {
    std::unique_ptr<ReferenceNetwork> network;
    std::vector<int> rows;
    Values output;
  };

  struct Step {
    PlacedOperation placed;
    std::vector<Values> src;  ///< of the last forward pass
    Values dst;
    Values diff;  ///< of dst, in the last backward pass
    std::size_t first_parameter;
    std::vector<Expert> experts = {};
  };

  static std::vector<Values> all_of(Values one) { return {std::move(one)}; }
  static std::vector<Values> all_of(std::vector<Values> several) { return several; }

  static void add(const Values& more, Values& sum) {
    if (sum.empty()) sum.resize(more.size());
    for (std::size_t i = 0; i < more.size(); ++i) sum[i] += more[i];
  }

  ImageShape image(const Step& step) const {
    const Shape& input = step.placed.input;
    return {n_, int(input[0]), int(input[1]), int(input[2])};
  }
  const Values& next_parameter() { return parameters_[next_parameter_++]; }
  CondConv2DTensors next_tensors(const operation::CondConvolution& operation) {
    CondConv2DTensors tensors;
    tensors.gate_kernel = next_parameter();
    tensors.gate_bias = next_parameter();
    tensors.kernel = next_parameter();
    if (operation.convolution.bias) tensors.bias = next_parameter();
    return tensors;
  }

  Values run(const operation::Convolution& convolution, const Step& step) {
    const Values& kernel = next_parameter();
    return conv2d(step.src[0], image(step), kernel, convolution.bias ? next_parameter() : Values(),
                  convolution);
  }
  Values run(const operation::CondConvolution& operation, const Step& step) {
    return cond_conv2d(step.src[0], image(step), next_tensors(operation), operation);
  }
  Values run(const operation::InnerProduct& product, const Step& step) {
    const Values& kernel = next_parameter();
    return dense(step.src[0], n_, kernel, product.units,
                 product.bias ? next_parameter() : Values());
  }
  Values run(const operation::Pooling& pooling, const Step& step) {
    return pooling2d(step.src[0], image(step), pooling);
  }
  Values run(const operation::BatchNormalization& normalization, const Step& step) {
    return batch_normalization(step.src[0], normalized(normalization, step));
  }
  Values run(const operation::Pad& by, const Step& step) {
    return pad(step.src[0], image(step), by);
  }
  Values run(const operation::Scale& scale, const Step& step) {
    Values dst = step.src[0];
    for (std::size_t i = 0; i < dst.size(); ++i) {
      const std::size_t channel = i % scale.scale.size();
      dst[i] = dst[i] * scale.scale[channel] + scale.offset[channel];
    }
    return dst;
  }
  Values run(const operation::Activate& activate, const Step& step) {
    if (activate.function == Activation::softmax) {
      return softmax(step.src[0], int(step.placed.output.back()));
    }
    Values dst;
    for (const double x : step.src[0]) dst.push_back(activation(activate, x));
    return dst;
  }
  Values run(const operation::Dropout&, const Step& step) { return step.src[0]; }
  Values run(const operation::Flatten&, const Step& step) { return step.src[0]; }
  Values run(const operation::Reshape&, const Step& step) { return step.src[0]; }
  Values run(const operation::Add&, const Step& step) { return sum(step.src); }
  Values run(const operation::Multiply&, const Step& step) { return product(step.src); }
  Values run(const operation::Concatenate&, const Step& step) {
    return concatenated(step.src, rows(step));
  }

  /// The gate of a layer for all images. Its arithmetic is the engine's own, which gating_test.cpp
  /// checks.
  struct Gates {
    std::size_t experts, top_k;
    std::vector<float> probabilities;
    std::vector<int> chosen;
    std::vector<float> weights;

    template <class Value>
    static std::span<Value> of_row(std::vector<Value>& all, std::size_t row, std::size_t width) {
      return std::span(all).subspan(row * width, width);
    }

    Gates(const operation::MixtureOfExperts& mixture, const Values& bias, const Values& values)
        : experts(mixture.experts.size()),
          top_k(std::size_t(mixture.top_k)),
          probabilities(values.size()),
          chosen(values.size() / experts * top_k),
          weights(chosen.size()) {
      std::vector<float> logits(values.begin(), values.end());
      for (std::size_t row = 0; row < logits.size() / experts; ++row) {
        std::vector<float> scores(logits.begin() + std::ptrdiff_t(row * experts),
                                  logits.begin() + std::ptrdiff_t((row + 1) * experts));
        for (std::size_t e = 0; e < bias.size(); ++e) scores[e] += float(bias[e]);
        choose(scores, of_row(chosen, row, top_k));
        probabilities_of(of_row(logits, row, experts), of_row(probabilities, row, experts),
                         float(mixture.temperature));
        weights_of(of_row(probabilities, row, experts), of_row(chosen, row, top_k),
                   mixture.normalize_weights, of_row(weights, row, top_k));
      }
    }
    std::size_t slot(int row, std::size_t expert) const {
      std::size_t at = std::size_t(row) * top_k;
      while (std::size_t(chosen[at]) != expert) ++at;
      return at;
    }
  };

  static Values gathered(const Values& all, const std::vector<int>& rows, std::size_t width) {
    Values some;
    for (const int row : rows) {
      const auto first = all.begin() + std::ptrdiff_t(row * width);
      some.insert(some.end(), first, first + std::ptrdiff_t(width));
    }
    return some;
  }

  /// A network inside a layer, with the next parameters.
  std::unique_ptr<ReferenceNetwork> next_network(const Sequential& expert) {
    Weights weights(expert);
    for (const Weights::Tensor& tensor : weights.tensors()) {
      std::ranges::copy(next_parameter(), weights.values(tensor).begin());
    }
    return std::make_unique<ReferenceNetwork>(expert, weights);
  }

  /// Puts the gradients of a network inside a layer at `parameter`, which then is behind them;
  /// zeros if it ran for no image.
  void put_gradients(const Sequential& expert, const std::vector<float>& gradients,
                     std::size_t& parameter) {
    std::size_t next = 0;
    for (const Weights::Tensor& tensor : tensors_of(expert)) {
      Values& of_tensor = gradients_[parameter++];
      if (!tensor.trained) continue;
      of_tensor.assign(tensor.size, 0);
      if (!gradients.empty()) std::copy_n(&gradients[next], tensor.size, of_tensor.begin());
      next += tensor.size;
    }
  }

  /// Which images go on, and how sure the first answers are, by the engine's own arithmetic.
  std::vector<char> going_on(const operation::Cascade& cascade, const Values& values,
                             double threshold) const {
    const std::vector<float> logits(values.begin(), values.end());
    const std::size_t classes = logits.size() / std::size_t(n_);
    std::vector<float> confidences;
    std::vector<float> row(classes);
    for (std::size_t first = 0; first < logits.size(); first += classes) {
      probabilities_of(std::span(logits).subspan(first, classes), row);
      confidences.push_back(*std::max_element(row.begin(), row.end()));
    }
    std::vector<char> marks;
    if (training_) {
      mark_smallest(confidences, std::size_t(std::ceil(cascade.training_share * n_)), marks);
    } else {
      for (const float confidence : confidences) marks.push_back(confidence < threshold);
    }
    return marks;
  }

  Values run(const operation::Cascade& cascade, Step& step) {
    const auto& thresholds = next_parameter();  // one for each whole percentage
    const double threshold = cascade.share < 1 ? thresholds[std::lround(100 * cascade.share)] : 2;
    const std::vector<char> marks = going_on(cascade, step.src[1], threshold);
    const std::size_t classes = step.src[1].size() / n_;
    Values dst = step.src[1];
    step.experts.clear();
    for (std::size_t e = 0; e < cascade.experts.size(); ++e) {
      Expert expert{next_network(cascade.experts[e]), {}, {}};
      for (int row = 0; row < n_; ++row) {
        const auto first = step.src[1].begin() + std::ptrdiff_t(row * classes);
        const auto best = std::max_element(first, first + std::ptrdiff_t(classes)) - first;
        const bool its =
            cascade.expert_of_class.empty() || cascade.expert_of_class[std::size_t(best)] == int(e);
        if (its && marks[std::size_t(row)]) expert.rows.push_back(row);
      }
      if (!expert.rows.empty()) {
        expert.output =
            expert.network->forward(gathered(step.src[0], expert.rows, step.src[0].size() / n_),
                                    int(expert.rows.size()), training_);
      }
      for (std::size_t i = 0; i < expert.output.size(); ++i) {
        double& value = dst[expert.rows[i / classes] * classes + i % classes];
        value = training_ ? expert.output[i] : (value + expert.output[i]) / 2;
      }
      step.experts.push_back(std::move(expert));
    }
    return dst;
  }

  Values run(const operation::MixtureOfExperts& mixture, Step& step) {
    const Gates gates(mixture, mixture.selection_bias ? next_parameter() : Values(), step.src[1]);
    const auto width = std::size_t(element_count(step.placed.output));
    Values dst(n_ * width);
    step.experts.clear();
    for (std::size_t e = 0; e < gates.experts; ++e) {
      Expert expert{next_network(mixture.experts[e]), {}, {}};
      for (std::size_t slot = 0; slot < gates.chosen.size(); ++slot) {
        if (std::size_t(gates.chosen[slot]) == e) expert.rows.push_back(int(slot / gates.top_k));
      }
      if (!expert.rows.empty()) {
        expert.output =
            expert.network->forward(gathered(step.src[0], expert.rows, step.src[0].size() / n_),
                                    int(expert.rows.size()), training_);
      }
      for (std::size_t i = 0; i < expert.output.size(); ++i) {
        const int row = expert.rows[i / width];
        dst[row * width + i % width] += gates.weights[gates.slot(row, e)] * expert.output[i];
      }
      step.experts.push_back(std::move(expert));
    }
    return dst;
  }

  Values undo(const operation::Convolution& convolution, const Step& step) {
    return keep_gradients(
        step, convolution.bias,
        conv2d_backward(step.src[0], image(step), parameters_[step.first_parameter], convolution,
                        step.diff));
  }
  Values undo(const operation::CondConvolution& operation, const Step& step) {
    auto gradients = cond_conv2d_backward(step.src[0], image(step), next_tensors(operation),
                                          operation, step.diff);
    auto next = gradients_.begin() + static_cast<std::ptrdiff_t>(step.first_parameter);
    *next++ = std::move(gradients.of.gate_kernel);
    *next++ = std::move(gradients.of.gate_bias);
    *next++ = std::move(gradients.of.kernel);
    if (operation.convolution.bias) *next = std::move(gradients.of.bias);
    return std::move(gradients.src);
  }
  Values undo(const operation::InnerProduct& product, const Step& step) {
    return keep_gradients(step, product.bias,
                          dense_backward(step.src[0], n_, parameters_[step.first_parameter],
                                         product.units, step.diff));
  }
  Values undo(const operation::Pooling& pooling, const Step& step) {
    return pooling2d_backward(step.src[0], image(step), pooling, step.diff);
  }
  Values undo(const operation::BatchNormalization& normalization, const Step& step) {
    auto gradients = batch_normalization_backward(step.src[0], normalized(normalization, step),
                                                  training_ && !normalization.frozen, step.diff);
    std::size_t next = step.first_parameter;
    if (normalization.scale) gradients_[next++] = std::move(gradients.gamma);
    if (normalization.center) gradients_[next++] = std::move(gradients.beta);
    return std::move(gradients.src);
  }
  Values undo(const operation::Pad& by, const Step& step) {
    return pad_backward(image(step), by, step.diff);
  }
  Values undo(const operation::Scale& scale, const Step& step) {
    Values diff = step.diff;
    for (std::size_t i = 0; i < diff.size(); ++i) diff[i] *= scale.scale[i % scale.scale.size()];
    return diff;
  }
  Values undo(const operation::Activate& activate, const Step& step) {
    if (activate.function == Activation::softmax) {
      return softmax_backward(step.dst, int(step.placed.output.back()), step.diff);
    }
    Values diff = step.diff;
    for (std::size_t i = 0; i < diff.size(); ++i) {
      diff[i] *= activation_slope(activate, step.src[0][i]);
    }
    return diff;
  }
  Values undo(const operation::Dropout&, const Step& step) { return step.diff; }
  Values undo(const operation::Flatten&, const Step& step) { return step.diff; }
  Values undo(const operation::Reshape&, const Step& step) { return step.diff; }
  std::vector<Values> undo(const operation::Add&, const Step& step) {
    return std::vector<Values>(step.src.size(), step.diff);
  }
  std::vector<Values> undo(const operation::Multiply&, const Step& step) {
    return product_backward(step.src, step.diff);
  }
  std::vector<Values> undo(const operation::Concatenate&, const Step& step) {
    return concatenated_backward(step.src, rows(step), step.diff);
  }

  /// Of a training pass, without the loss of the first answer.
  std::vector<Values> undo(const operation::Cascade& cascade, Step& step) {
    const std::size_t classes = step.diff.size() / n_;
    const std::size_t image = step.src[0].size() / n_;
    Values diff_src(step.src[0].size());
    std::size_t parameter = step.first_parameter + 1;
    const double scale = n_ / std::ceil(cascade.training_share * n_);
    for (std::size_t e = 0; e < cascade.experts.size(); ++e) {
      const Expert& expert = step.experts[e];
      std::vector<float> gradients;
      if (!expert.rows.empty()) {
        Values diff = gathered(step.diff, expert.rows, classes);
        for (double& value : diff) value *= scale;
        gradients = expert.network->backward(diff);
        const Values& of_images = expert.network->diff_images();
        for (std::size_t i = 0; i < of_images.size(); ++i) {
          diff_src[expert.rows[i / image] * image + i % image] = of_images[i];
        }
      }
      put_gradients(cascade.experts[e], gradients, parameter);
    }
    return {diff_src, Values(step.src[1].size())};
  }

  std::vector<Values> undo(const operation::MixtureOfExperts& mixture, Step& step) {
    Gates gates(mixture, mixture.selection_bias ? next_parameter() : Values(), step.src[1]);
    const std::size_t width = step.diff.size() / n_;
    const std::size_t image = step.src[0].size() / n_;
    Values diff_src(step.src[0].size());
    std::vector<float> diff_weights(gates.weights.size());
    std::vector<float> of_probabilities;
    std::size_t parameter = next_parameter_;
    for (std::size_t e = 0; e < gates.experts; ++e) {
      const Expert& expert = step.experts[e];
      const double share = double(expert.rows.size()) / double(gates.chosen.size());
      of_probabilities.push_back(float(mixture.balance_loss * double(gates.experts) * share / n_));
      Values diff = gathered(step.diff, expert.rows, width);
      for (std::size_t i = 0; i < diff.size(); ++i) {
        const std::size_t slot = gates.slot(expert.rows[i / width], e);
        diff_weights[slot] += float(diff[i] * expert.output[i]);
        diff[i] *= gates.weights[slot];
      }
      std::vector<float> gradients;
      if (!diff.empty()) {
        gradients = expert.network->backward(diff);
        const Values& of_images = expert.network->diff_images();
        for (std::size_t i = 0; i < of_images.size(); ++i) {
          diff_src[expert.rows[i / image] * image + i % image] += of_images[i];
        }
      }
      put_gradients(mixture.experts[e], gradients, parameter);
    }
    Values diff_logits;
    for (std::size_t row = 0; row < std::size_t(n_); ++row) {
      std::vector<float> of_row(gates.experts);
      gate_backward(gates.of_row(gates.probabilities, row, gates.experts),
                    gates.of_row(gates.chosen, row, gates.top_k),
                    gates.of_row(gates.weights, row, gates.top_k), mixture.normalize_weights,
                    gates.of_row(diff_weights, row, gates.top_k), of_probabilities,
                    float(mixture.temperature), of_row);
      diff_logits.insert(diff_logits.end(), of_row.begin(), of_row.end());
    }
    return {diff_src, diff_logits};
  }

  Normalized normalized(const operation::BatchNormalization& normalization, const Step& step) {
    const auto channels = std::size_t(step.placed.input.back());
    Normalized by{{}, {}, Values(channels, 1), Values(channels, 0), normalization.epsilon};
    std::size_t next = step.first_parameter;
    if (normalization.scale) by.gamma = parameters_[next++];
    if (normalization.center) by.beta = parameters_[next++];
    by.mean = parameters_[next++];
    by.variance = parameters_[next++];
    next_parameter_ = next;
    if (training_ && !normalization.frozen) moments(step.src[0], channels, by.mean, by.variance);
    return by;
  }

  /// Pixels of all images, or images.
  std::size_t rows(const Step& step) const {
    return step.src[0].size() / std::size_t(step.placed.input.back());
  }

  /// Returns the gradient of the source.
  template <class Gradients>
  Values keep_gradients(const Step& step, bool bias, Gradients gradients) {
    gradients_[step.first_parameter] = std::move(gradients.kernel);
    if (bias) gradients_[step.first_parameter + 1] = std::move(gradients.bias);
    return std::move(gradients.src);
  }

  std::vector<Step> steps_;
  std::vector<Values> parameters_;
  std::vector<bool> trained_;
  std::vector<Values> gradients_;
  Values diff_images_;
  std::size_t next_parameter_ = 0;
  int n_ = 0;
  bool training_ = false;
};

}  // namespace sluice::reference
