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

}  // namespace

std::vector<Weights::Tensor> tensors_of(const Sequential& model) {
  std::vector<Weights::Tensor> tensors;
  std::size_t offset = 0;
  const auto add = [&](const std::string& layer, const std::string& kind, const Shape& shape) {
    const auto size = static_cast<std::size_t>(element_count(shape));
    tensors.push_back({layer, kind, shape, offset, size});
    offset += size;
  };
  for (const LayerSummary& layer : summarize(model)) {
    if (layer.kernel.empty()) continue;
    add(layer.name, "kernel", layer.kernel);
    add(layer.name, "bias", {layer.kernel.back()});
  }
  return tensors;
}

void require_weights(const Sequential& model, const Weights& weights) {
  if (std::ranges::equal(weights.tensors(), tensors_of(model), same)) return;
  throw user_error("model", "{}: the weights are not those of its layers: make them by Weights({})",
                   model.name, model.name);
}

Weights::Weights(const Sequential& model) : tensors_(tensors_of(model)) {
  values_.resize(tensors_.empty() ? 0 : tensors_.back().offset + tensors_.back().size);
}

void Weights::initialize(std::uint64_t seed, std::uint32_t stream) {
  std::fill(values_.begin(), values_.end(), 0.f);
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    const Tensor& tensor = tensors_[t];
    if (tensor.kind != "kernel") continue;
    // {..., in, out}: what comes before is the convolution's area, which counts in both fans.
    const auto fan_out = tensor.shape.back();
    const auto fan_in = tensor.shape[tensor.shape.size() - 2];
    const auto area = static_cast<std::int64_t>(tensor.size) / (fan_in * fan_out);
    const float limit = std::sqrt(6.f / static_cast<float>(area * (fan_in + fan_out)));
    const RandomStream random(seed, Purpose::weights, stream, static_cast<std::uint32_t>(t));
    const std::span<float> kernel = values(tensor);
    for (std::size_t i = 0; i < kernel.size(); i += 4) {
      const auto bits = random.bits(static_cast<std::uint32_t>(i / 4));
      for (std::size_t j = i; j < std::min(i + 4, kernel.size()); ++j) {
        kernel[j] = limit * (2 * RandomStream::unit(bits[j - i]) - 1);
      }
    }
  }
}

}  // namespace sluice
