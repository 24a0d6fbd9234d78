#include "train/clipping.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/parallel.h"
#include "base/simd.h"

namespace sluice {

namespace {

/// The product of two floats is exact in double, and the order of the sum is fixed: the result is
/// the same on every processor.
SLUICE_VECTORISED double squares_of(const float* values, std::size_t count) {
  constexpr std::size_t kLanes = 8;
  double sums[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) sums[j] += double(values[i + j]) * values[i + j];
  }
  for (; i < count; ++i) sums[0] += double(values[i]) * values[i];
  return std::accumulate(sums, sums + kLanes, 0.0);
}

template <class Change>
void change_all(std::span<float> values, const Change& change) {
  parallel_for(values.size(), kGrainOfValues, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) values[i] = change(values[i]);
  });
}

void limit_norm(std::span<float> values, double norm, double limit) {
  if (norm <= limit) return;
  const auto factor = static_cast<float>(limit / norm);
  change_all(values, [=](float value) { return value * factor; });
}

}  // namespace

Clipping::Clipping(const OptimizerOptions& options,
                   const std::vector<CompiledModel::Trained>& trained)
    : options_(options) {
  std::size_t most = 0;
  for (const CompiledModel::Trained& block : trained) {
    gradients_.push_back(block.gradients);
    most = std::max(most, block.gradients.size());
    for (const Weights::Tensor& tensor : block.tensors) {
      if (tensor.trained) tensors_.push_back(block.gradients.subspan(tensor.offset, tensor.size));
    }
  }
  sums_.resize((most + kGrainOfValues - 1) / kGrainOfValues);
}

double Clipping::sum_of_squares(std::span<const float> values) {
  parallel_for(values.size(), kGrainOfValues, [&](std::size_t begin, std::size_t end) {
    sums_[begin / kGrainOfValues] = squares_of(values.data() + begin, end - begin);
  });
  const std::size_t parts = (values.size() + kGrainOfValues - 1) / kGrainOfValues;
  return std::accumulate(sums_.begin(), sums_.begin() + parts, 0.0);
}

void Clipping::clip() {
  if (options_.clipnorm > 0) {
    for (const std::span<float> tensor : tensors_) {
      limit_norm(tensor, std::sqrt(sum_of_squares(tensor)), options_.clipnorm);
    }
  }
  if (options_.global_clipnorm > 0) {
    double sum = 0;
    for (const std::span<float> block : gradients_) sum += sum_of_squares(block);
    for (const std::span<float> block : gradients_) {
      limit_norm(block, std::sqrt(sum), options_.global_clipnorm);
    }
  }
  if (options_.clipvalue > 0) {
    const auto limit = static_cast<float>(options_.clipvalue);
    for (const std::span<float> block : gradients_) {
      change_all(block, [=](float value) { return std::clamp(value, -limit, limit); });
    }
  }
}

}  // namespace sluice
