#pragma once

#include "ops/reference/reference.h"
#include "sluice/network.h"

namespace sluice::reference {

/// A Sequential in plain loops and double precision, without dropout: the oracle of network tests.
class ReferenceNetwork {
 public:
  ReferenceNetwork(const Sequential& model, const Weights& weights)
      : model_(model), summary_(summarize(model)) {
    for (const Weights::Tensor& tensor : weights.tensors()) {
      const auto values = weights.values(tensor);
      parameters_.emplace_back(values.begin(), values.end());
    }
  }

  /// (n, outputs)
  Values forward(const Values& images, int n) {
    n_ = n;
    sources_.clear();
    Values current = images;
    std::size_t parameter = 0;
    for (std::size_t i = 0; i < model_.layers.size(); ++i) {
      sources_.push_back(current);
      current =
          std::visit([&](const auto& layer) { return run(layer, i, parameter); }, model_.layers[i]);
      results_.resize(i + 1);
      results_[i] = current;
    }
    return current;
  }

  /// The gradients of sum(output * diff) for every parameter, in the order of Weights.
  std::vector<float> backward(Values diff) {
    std::vector<Values> gradients(parameters_.size());
    std::size_t parameter = parameters_.size();
    for (std::size_t i = model_.layers.size(); i-- > 0;) {
      diff =
          std::visit([&](const auto& layer) { return undo(layer, i, diff, parameter, gradients); },
                     model_.layers[i]);
    }
    std::vector<float> all;
    for (const Values& gradient : gradients)
      all.insert(all.end(), gradient.begin(), gradient.end());
    return all;
  }

 private:
  ImageShape image(std::size_t i) const {
    const Shape& shape = i == 0 ? model_.input : summary_[i - 1].output;
    return {n_, int(shape[0]), int(shape[1]), int(shape[2])};
  }

  static Values activate(const Values& values, Activation activation, int classes) {
    if (activation == Activation::relu) return relu(values);
    return activation == Activation::softmax ? softmax(values, classes) : values;
  }
  static Values deactivate(const Values& dst, const Values& diff, Activation activation,
                           int classes) {
    if (activation == Activation::relu) return relu_backward(dst, diff);
    return activation == Activation::softmax ? softmax_backward(dst, classes, diff) : diff;
  }

  Values run(const Conv2D& layer, std::size_t i, std::size_t& p) const {
    p += 2;
    return activate(
        conv2d(sources_[i], image(i), parameters_[p - 2], parameters_[p - 1], layer.kernel_size),
        layer.activation, layer.filters);
  }
  Values run(const Dense& layer, std::size_t i, std::size_t& p) const {
    p += 2;
    return activate(dense(sources_[i], n_, parameters_[p - 2], parameters_[p - 1]),
                    layer.activation, layer.units);
  }
  Values run(const MaxPooling2D& layer, std::size_t i, std::size_t&) const {
    return max_pooling2d(sources_[i], image(i), layer.pool_size);
  }
  template <class Identity>
  Values run(const Identity&, std::size_t i, std::size_t&) const {
    return sources_[i];
  }

  Values undo(const Conv2D& layer, std::size_t i, const Values& diff, std::size_t& p,
              std::vector<Values>& gradients) const {
    p -= 2;
    auto g =
        conv2d_backward(sources_[i], image(i), parameters_[p], layer.filters, layer.kernel_size,
                        deactivate(results_[i], diff, layer.activation, layer.filters));
    gradients[p] = g.kernel;
    gradients[p + 1] = g.bias;
    return g.src;
  }
  Values undo(const Dense& layer, std::size_t i, const Values& diff, std::size_t& p,
              std::vector<Values>& gradients) const {
    p -= 2;
    auto g = dense_backward(sources_[i], n_, parameters_[p], layer.units,
                            deactivate(results_[i], diff, layer.activation, layer.units));
    gradients[p] = g.kernel;
    gradients[p + 1] = g.bias;
    return g.src;
  }
  Values undo(const MaxPooling2D& layer, std::size_t i, const Values& diff, std::size_t&,
              std::vector<Values>&) const {
    return max_pooling2d_backward(sources_[i], image(i), layer.pool_size, diff);
  }
  template <class Identity>
  Values undo(const Identity&, std::size_t, const Values& diff, std::size_t&,
              std::vector<Values>&) const {
    return diff;
  }

  Sequential model_;
  std::vector<LayerSummary> summary_;
  std::vector<Values> parameters_;
  std::vector<Values> sources_;  ///< of each layer, in the last forward pass
  std::vector<Values> results_;
  int n_ = 0;
};

}  // namespace sluice::reference
