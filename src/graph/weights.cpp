#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "base/random.h"
#include "graph/weights.h"
#include "sluice/layers.h"

namespace sluice {

namespace {

bool same(const Weights::Tensor& a, const Weights::Tensor& b) {
  return a.layer == b.layer && a.kind == b.kind && a.shape == b.shape;
}

void fill_glorot_uniform(std::span<float> kernel, const Shape& shape, const RandomStream& random) {
  // {..., in, out}: what comes before is the convolution's area, which counts in both fans.
  const auto fan_out = shape.back();
  const auto fan_in = shape[shape.size() - 2];
  const auto area = static_cast<std::int64_t>(kernel.size()) / (fan_in * fan_out);
  const float limit = std::sqrt(6.f / static_cast<float>(area * (fan_in + fan_out)));
  for (std::size_t i = 0; i < kernel.size(); i += 4) {
    const auto bits = random.bits(static_cast<std::uint32_t>(i / 4));
    for (std::size_t j = i; j < std::min(i + 4, kernel.size()); ++j) {
      kernel[j] = limit * (2 * RandomStream::unit(bits[j - i]) - 1);
    }
  }
}

}  // namespace

std::vector<Weights::Tensor> tensors_of(const Sequential& model) {
  std::vector<Weights::Tensor> tensors;
  for (const LayerSummary& layer : summarize(model)) {
    for (const TensorSpec& spec : layer.tensors) {
      const auto size = static_cast<std::size_t>(element_count(spec.shape));
      tensors.push_back(
          {layer.name, spec.name, spec.shape, 0, size, spec.initializer, spec.trained});
    }
  }
  std::size_t offset = 0;
  for (const bool trained : {true, false}) {
    for (Weights::Tensor& tensor : tensors) {
      if (tensor.trained != trained) continue;
      tensor.offset = offset;
      offset += tensor.size;
    }
  }
  return tensors;
}

void require_weights(const Sequential& model, const Weights& weights) {
  if (std::ranges::equal(weights.tensors(), tensors_of(model), same)) return;
  throw user_error("model", "{}: the weights are not those of its layers: make them by Weights({})",
                   model.name, model.name);
}

Weights::Weights(const Sequential& model) : tensors_(tensors_of(model)) {
  std::size_t all = 0;
  for (const Tensor& tensor : tensors_) {
    all += tensor.size;
    if (tensor.trained) trained_ += tensor.size;
  }
  values_.resize(all);
}

void Weights::initialize(std::uint64_t seed, std::uint32_t stream) {
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    const std::span<float> tensor = values(tensors_[t]);
    switch (tensors_[t].initializer) {
      case Initializer::zeros:
        std::ranges::fill(tensor, 0.f);
        break;
      case Initializer::ones:
        std::ranges::fill(tensor, 1.f);
        break;
      case Initializer::glorot_uniform:
        fill_glorot_uniform(
            tensor, tensors_[t].shape,
            RandomStream(seed, Purpose::weights, stream, static_cast<std::uint32_t>(t)));
        break;
    }
  }
}

}  // namespace sluice
