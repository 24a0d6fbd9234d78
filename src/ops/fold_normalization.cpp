#include "ops/fold_normalization.h"

#include <cmath>

namespace sluice::ops {

FoldNormalization::FoldNormalization(Plan& plan, const dnnl::memory& src, const Parameter& kernel,
                                     std::size_t kernel_elements, const Parameter& bias,
                                     std::size_t filters,
                                     const operation::BatchNormalization& operation,
                                     const BatchNormalizationParameters& parameters)
    : Op(src, src),
      kernel_(kernel),
      bias_(bias),
      rows_(kernel_elements / filters),
      filters_(filters),
      operation_(operation),
      parameters_(parameters),
      folded_kernel_(plan.workspace.take(kernel_elements * sizeof(float))),
      folded_bias_(plan.workspace.take(filters * sizeof(float))) {}

void FoldNormalization::load_parameters(onednn::Context&) {
  const auto value = [](const Parameter& parameter, std::size_t i, double otherwise) {
    return parameter.values == nullptr ? otherwise : double(parameter.values[i]);
  };
  for (std::size_t filter = 0; filter < filters_; ++filter) {
    const double scale = value(parameters_.gamma, filter, 1) /
                         std::sqrt(parameters_.moving_variance[filter] + operation_.epsilon);
    for (std::size_t i = filter; i < rows_ * filters_; i += filters_) {
      folded_kernel_[i] = static_cast<float>(kernel_.values[i] * scale);
    }
    const double centred = value(bias_, filter, 0) - parameters_.moving_mean[filter];
    folded_bias_[filter] = static_cast<float>(centred * scale + value(parameters_.beta, filter, 0));
  }
}

}  // namespace sluice::ops
