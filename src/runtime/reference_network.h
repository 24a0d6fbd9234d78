#pragma once

#include "graph/operations.h"
#include "graph/wiring.h"
#include "ops/reference/reference.h"

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
    }
  }

  /// (n, outputs)
  Values forward(const Values& images, int n) {
    n_ = n;
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

  /// The gradients of sum(output * diff) for every parameter, in the order of Weights.
  std::vector<float> backward(const Values& diff) {
    gradients_.assign(parameters_.size(), {});
    for (Step& step : steps_) step.diff.clear();
    steps_.back().diff = diff;
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
      next_parameter_ = step->first_parameter;
      const std::vector<Values> diffs =
          std::visit([&](const auto& operation) { return all_of(undo(operation, *step)); },
                     step->placed.operation);
      for (std::size_t i = 0; i < diffs.size(); ++i) {
        const int source = step->placed.sources[i];
        if (source != kImages) add(diffs[i], steps_[source].diff);
      }
    }
    std::vector<float> all;
    for (const Values& gradient : gradients_) {
      all.insert(all.end(), gradient.begin(), gradient.end());
    }
    return all;
  }

 private:
  struct Step {
    PlacedOperation placed;
    std::vector<Values> src;  ///< of the last forward pass
    Values dst;
    Values diff;  ///< of dst, in the last backward pass
    std::size_t first_parameter;
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

  Values run(const operation::Convolution& convolution, const Step& step) {
    const Values& kernel = next_parameter();
    return conv2d(step.src[0], image(step), kernel, next_parameter(), convolution.kernel_size);
  }
  Values run(const operation::InnerProduct&, const Step& step) {
    const Values& kernel = next_parameter();
    return dense(step.src[0], n_, kernel, next_parameter());
  }
  Values run(const operation::MaxPooling& pool, const Step& step) {
    return max_pooling2d(step.src[0], image(step), pool.size);
  }
  Values run(const operation::Activate& activate, const Step& step) {
    if (activate.function == Activation::softmax) {
      return softmax(step.src[0], int(step.placed.output.back()));
    }
    Values dst;
    for (const double x : step.src[0]) dst.push_back(activation(activate.function, x));
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

  Values undo(const operation::Convolution& convolution, const Step& step) {
    return keep_gradients(
        step, conv2d_backward(step.src[0], image(step), parameters_[step.first_parameter],
                              convolution.filters, convolution.kernel_size, step.diff));
  }
  Values undo(const operation::InnerProduct& product, const Step& step) {
    return keep_gradients(step, dense_backward(step.src[0], n_, parameters_[step.first_parameter],
                                               product.units, step.diff));
  }
  Values undo(const operation::MaxPooling& pool, const Step& step) {
    return max_pooling2d_backward(step.src[0], image(step), pool.size, step.diff);
  }
  Values undo(const operation::Activate& activate, const Step& step) {
    if (activate.function == Activation::softmax) {
      return softmax_backward(step.dst, int(step.placed.output.back()), step.diff);
    }
    Values diff = step.diff;
    for (std::size_t i = 0; i < diff.size(); ++i) {
      diff[i] *= activation_slope(activate.function, step.src[0][i]);
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

  /// Pixels of all images, or images.
  std::size_t rows(const Step& step) const {
    return step.src[0].size() / std::size_t(step.placed.input.back());
  }

  /// Returns the gradient of the source.
  template <class Gradients>
  Values keep_gradients(const Step& step, Gradients gradients) {
    gradients_[step.first_parameter] = std::move(gradients.kernel);
    gradients_[step.first_parameter + 1] = std::move(gradients.bias);
    return std::move(gradients.src);
  }

  std::vector<Step> steps_;
  std::vector<Values> parameters_;
  std::vector<Values> gradients_;
  std::size_t next_parameter_ = 0;
  int n_ = 0;
};

}  // namespace sluice::reference
