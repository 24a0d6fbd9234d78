#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/fail.h"
#include "base/random.h"
#include "graph/weights.h"
#include "sluice/layers.h"

namespace sluice {

namespace {

bool same(const Weights::Tensor& a, const Weights::Tensor& b) {
  return a.layer == b.layer && a.kind == b.kind && a.shape == b.shape;
}

/// Numbers of values that a value of the tensor is made of, and goes into. {..., in, out}: what
/// comes before is the convolution's area, which counts in both; a fifth axis has several kernels.
struct Fans {
  explicit Fans(const Shape& shape)
      : area(element_count(shape) / (shape.back() * shape[shape.size() - 2]) /
             (shape.size() == 5 ? shape.front() : 1)),
        in(area * shape[shape.size() - 2]),
        out(area * shape.back()) {}
  std::int64_t area, in, out;
};

void fill_uniform(std::span<float> kernel, float limit, const RandomStream& random) {
  for (std::size_t i = 0; i < kernel.size(); i += 4) {
    const auto bits = random.bits(static_cast<std::uint32_t>(i / 4));
    for (std::size_t j = i; j < std::min(i + 4, kernel.size()); ++j) {
      kernel[j] = limit * (2 * RandomStream::unit(bits[j - i]) - 1);
    }
  }
}

/// Normal, and drawn again beyond two deviations; as Keras, with the deviation of what is left.
void fill_normal(std::span<float> kernel, double deviation, const RandomStream& random) {
  constexpr double kLeft = 0.87962566103423978;  // deviation of a normal one cut at 2
  std::uint32_t next = 0;
  for (float& value : kernel) {
    double drawn = 3;
    while (std::fabs(drawn) > 2) {
      const auto bits = random.bits(next++);
      drawn = RandomStream::normal(bits[0], bits[1]);
    }
    value = static_cast<float>(drawn * deviation / kLeft);
  }
}

/// The first filters of a convolution hand on a channel each.
void fill_identity(std::span<float> kernel, const Shape& shape) {
  const auto in = static_cast<std::size_t>(shape[2]);
  const auto out = static_cast<std::size_t>(shape[3]);
  const auto centre = static_cast<std::size_t>(shape[0] / 2 * shape[1] + shape[1] / 2);
  for (std::size_t filter = 0; filter < std::min(in, out); ++filter) {
    for (std::size_t i = filter; i < kernel.size(); i += out) kernel[i] = 0;
    kernel[(centre * in + filter) * out + filter] = 1;
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

std::string full_name(const Weights::Tensor& tensor) {
  return tensor.layer + "/" + tensor.kind;
}

const Weights::Tensor& tensor_of(const Weights& weights, const std::string& layer,
                                 const std::string& kind) {
  return *std::ranges::find_if(weights.tensors(), [&](const Weights::Tensor& tensor) {
    return tensor.layer == layer && tensor.kind == kind;
  });
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

std::vector<std::string> Weights::take(const Weights& other) {
  std::map<std::string, const Tensor*> others;
  for (const Tensor& tensor : other.tensors_) others[full_name(tensor)] = &tensor;
  const auto found = [&](const std::string& name, const Shape& shape) -> const Tensor* {
    const auto like = others.find(name);
    return like != others.end() && like->second->shape == shape ? like->second : nullptr;
  };
  const auto layer_of = [](const Tensor& tensor) {
    const std::string name = full_name(tensor);
    return name.substr(0, name.rfind('/'));
  };
  std::vector<const Tensor*> from;
  std::set<std::string> new_layers;
  for (const Tensor& tensor : tensors_) {
    const Tensor* like = found(full_name(tensor), tensor.shape);
    const auto expert = tensor.kind.find('/');
    if (like == nullptr && expert != std::string::npos) {
      like = found(tensor.layer + "." + tensor.kind.substr(expert + 1), tensor.shape);
    }
    if (like == nullptr) new_layers.insert(layer_of(tensor));
    from.push_back(like);
  }
  std::vector<std::string> kept;
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    if (new_layers.contains(layer_of(tensors_[t]))) {
      kept.push_back(full_name(tensors_[t]));
    } else {
      std::ranges::copy(other.values(*from[t]), values(tensors_[t]).begin());
    }
  }
  return kept;
}

void Weights::initialize(std::uint64_t seed, std::uint32_t stream) {
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    const std::span<float> tensor = values(tensors_[t]);
    const Shape& shape = tensors_[t].shape;
    const RandomStream random(seed, Purpose::weights, stream, static_cast<std::uint32_t>(t));
    switch (tensors_[t].initializer) {
      case Initializer::zeros:
        std::ranges::fill(tensor, 0.f);
        break;
      case Initializer::ones:
        std::ranges::fill(tensor, 1.f);
        break;
      case Initializer::glorot_uniform:
      case Initializer::centroids:
        fill_uniform(tensor, std::sqrt(6.f / static_cast<float>(Fans(shape).in + Fans(shape).out)),
                     random);
        break;
      case Initializer::he_normal:
        fill_normal(tensor, std::sqrt(2.0 / static_cast<double>(Fans(shape).in)), random);
        break;
      case Initializer::small_normal:
        fill_normal(tensor, 0.1, random);
        break;
      case Initializer::fan_in:
      case Initializer::identity:
      case Initializer::whitening:
        fill_uniform(tensor, 1 / std::sqrt(static_cast<float>(Fans(shape).in)), random);
        if (tensors_[t].initializer == Initializer::identity) fill_identity(tensor, shape);
        break;
    }
  }
}

}  // namespace sluice
