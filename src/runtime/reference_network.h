#pragma once

#include "graph/layer_types.h"
#include "ops/reference/reference.h"

namespace sluice::reference {

/// A Sequential in plain loops and double precision, without dropout: the oracle of network tests.
class ReferenceNetwork {
 public:
  ReferenceNetwork(const Sequential& model, const Weights& weights) {
    Shape shape = model.input;
    for (const LayerInfo& info : describe_layers(model)) {
      for (const Operation& operation : info.operations) {
        steps_.push_back({operation, shape, info.output, {}, {}});
      }
      shape = info.output;
    }
    for (const Weights::Tensor& tensor : weights.tensors()) {
      const auto values = weights.values(tensor);
      parameters_.emplace_back(values.begin(), values.end());
    }
  }

  /// (n, outputs)
  Values forward(const Values& images, int n) {
    n_ = n;
    parameter_ = 0;
    Values current = images;
    for (Step& step : steps_) {
      step.src = current;
      step.dst = current =
          std::visit([&](const auto& operation) { return run(operation, step); }, step.operation);
    }
    return current;
  }

  /// The gradients of sum(output * diff) for every parameter, in the order of Weights.
  std::vector<float> backward(Values diff) {
    gradients_.assign(parameters_.size(), {});
    parameter_ = parameters_.size();
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
      diff = std::visit([&](const auto& operation) { return undo(operation, *step, diff); },
                        step->operation);
    }
    std::vector<float> all;
    for (const Values& gradient : gradients_) {
      all.insert(all.end(), gradient.begin(), gradient.end());
    }
    return all;
  }

 private:
  struct Step {
    Operation operation;
    Shape input;   ///< shape of the layer's input, for one image
    Shape output;  ///< likewise
    Values src;    ///< values of the last forward pass
    Values dst;
  };

  ImageShape image(const Step& step) const {
    return {n_, int(step.input[0]), int(step.input[1]), int(step.input[2])};
  }
  const Values& next_parameter() { return parameters_[parameter_++]; }

  Values run(const operation::Convolution& convolution, const Step& step) {
    const Values& kernel = next_parameter();
    return conv2d(step.src, image(step), kernel, next_parameter(), convolution.kernel_size);
  }
  Values run(const operation::InnerProduct&, const Step& step) {
    const Values& kernel = next_parameter();
    return dense(step.src, n_, kernel, next_parameter());
  }
  Values run(const operation::MaxPooling& pool, const Step& step) {
    return max_pooling2d(step.src, image(step), pool.size);
  }
  Values run(const operation::Activate& activate, const Step& step) {
    switch (activate.function) {
      case Activation::relu:
        return relu(step.src);
      case Activation::softmax:
        return softmax(step.src, int(step.output.back()));
      case Activation::linear:
        break;
    }
    return step.src;
  }
  Values run(const operation::Dropout&, const Step& step) { return step.src; }
  Values run(const operation::Flatten&, const Step& step) { return step.src; }
  Values run(const operation::Reshape&, const Step& step) { return step.src; }

  Values undo(const operation::Convolution& convolution, const Step& step, const Values& diff) {
    parameter_ -= 2;
    auto g = conv2d_backward(step.src, image(step), parameters_[parameter_], convolution.filters,
                             convolution.kernel_size, diff);
    return keep_gradients(std::move(g));
  }
  Values undo(const operation::InnerProduct& product, const Step& step, const Values& diff) {
    parameter_ -= 2;
    return keep_gradients(
        dense_backward(step.src, n_, parameters_[parameter_], product.units, diff));
  }
  Values undo(const operation::MaxPooling& pool, const Step& step, const Values& diff) {
    return max_pooling2d_backward(step.src, image(step), pool.size, diff);
  }
  Values undo(const operation::Activate& activate, const Step& step, const Values& diff) {
    switch (activate.function) {
      case Activation::relu:
        return relu_backward(step.dst, diff);
      case Activation::softmax:
        return softmax_backward(step.dst, int(step.output.back()), diff);
      case Activation::linear:
        break;
    }
    return diff;
  }
  Values undo(const operation::Dropout&, const Step&, const Values& diff) { return diff; }
  Values undo(const operation::Flatten&, const Step&, const Values& diff) { return diff; }
  Values undo(const operation::Reshape&, const Step&, const Values& diff) { return diff; }

  /// Returns the gradient of the source.
  template <class Gradients>
  Values keep_gradients(Gradients gradients) {
    gradients_[parameter_] = std::move(gradients.kernel);
    gradients_[parameter_ + 1] = std::move(gradients.bias);
    return std::move(gradients.src);
  }

  std::vector<Step> steps_;
  std::vector<Values> parameters_;
  std::vector<Values> gradients_;
  std::size_t parameter_ = 0;  ///< the next one of parameters_
  int n_ = 0;
};

}  // namespace sluice::reference
