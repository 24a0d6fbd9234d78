#include "ops/reference/reference.h"

namespace sluice::reference {

namespace {

ImageShape one_image(const ImageShape& shape) {
  return {1, shape.h, shape.w, shape.c};
}

/// The values of one of several images or kernels.
Values part(const Values& all, std::size_t number, std::size_t count) {
  const std::size_t size = all.size() / count;
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(number * size);
  return {first, first + static_cast<std::ptrdiff_t>(size)};
}

void add(const Values& more, double factor, std::size_t number, Values& all) {
  for (std::size_t i = 0; i < more.size(); ++i) all[number * more.size() + i] += factor * more[i];
}

operation::Pooling mean_of(const ImageShape& shape) {
  return {operation::Pooling::Kind::average, {{shape.h, shape.w}}};
}

/// (n, kernels)
Values weights_of_kernels(const Values& means, int n, const CondConv2DTensors& of, int kernels) {
  return softmax(dense(means, n, of.gate_kernel, kernels, of.gate_bias), kernels);
}

operation::Convolution without_bias(operation::Convolution convolution) {
  convolution.bias = false;
  return convolution;
}

}  // namespace

Values cond_conv2d(const Values& src, ImageShape shape, const CondConv2DTensors& of,
                   const operation::CondConvolution& operation) {
  const auto n = static_cast<std::size_t>(shape.n);
  const auto kernels = static_cast<std::size_t>(operation.kernels);
  const Values weights =
      weights_of_kernels(pooling2d(src, shape, mean_of(shape)), shape.n, of, operation.kernels);
  Values dst;
  for (std::size_t image = 0; image < n; ++image) {
    // The bias belongs to no kernel.
    Values sum = conv2d(part(src, image, n), one_image(shape), Values(of.kernel.size() / kernels),
                        of.bias, operation.convolution);
    for (std::size_t k = 0; k < kernels; ++k) {
      add(conv2d(part(src, image, n), one_image(shape), part(of.kernel, k, kernels), {},
                 without_bias(operation.convolution)),
          weights[image * kernels + k], 0, sum);
    }
    dst.insert(dst.end(), sum.begin(), sum.end());
  }
  return dst;
}

CondConv2DGradients cond_conv2d_backward(const Values& src, ImageShape shape,
                                         const CondConv2DTensors& of,
                                         const operation::CondConvolution& operation,
                                         const Values& diff_dst) {
  const auto n = static_cast<std::size_t>(shape.n);
  const auto kernels = static_cast<std::size_t>(operation.kernels);
  const Values means = pooling2d(src, shape, mean_of(shape));
  const Values weights = weights_of_kernels(means, shape.n, of, operation.kernels);
  CondConv2DGradients g{Values(src.size()), {{}, {}, Values(of.kernel.size()), {}}};
  Values diff_weights(weights.size());
  for (std::size_t image = 0; image < n; ++image) {
    const Values diff = part(diff_dst, image, n);
    for (std::size_t k = 0; k < kernels; ++k) {
      const double weight = weights[image * kernels + k];
      const Values kernel = part(of.kernel, k, kernels);
      const auto of_one = conv2d_backward(part(src, image, n), one_image(shape), kernel,
                                          without_bias(operation.convolution), diff);
      add(of_one.src, weight, image, g.src);
      add(of_one.kernel, weight, k, g.of.kernel);
      for (std::size_t i = 0; i < kernel.size(); ++i) {
        diff_weights[image * kernels + k] += of_one.kernel[i] * kernel[i];
      }
    }
  }
  const Values diff_logits = softmax_backward(weights, operation.kernels, diff_weights);
  auto gate = dense_backward(means, shape.n, of.gate_kernel, operation.kernels, diff_logits);
  add(pooling2d_backward(src, shape, mean_of(shape), gate.src), 1, 0, g.src);
  g.of.gate_kernel = std::move(gate.kernel);
  g.of.gate_bias = std::move(gate.bias);
  if (operation.convolution.bias) {
    g.of.bias.resize(of.bias.size());
    for (std::size_t i = 0; i < diff_dst.size(); ++i) g.of.bias[i % of.bias.size()] += diff_dst[i];
  }
  return g;
}

}  // namespace sluice::reference
