#pragma once

#include <cstdint>
#include <vector>

#include "graph/operation.h"

/// Every operation in plain loops, as a textbook and as the tests' oracle. Tensors have Keras's
/// layouts: images (n, h, w, c), convolution kernels (kh, kw, in, out), dense kernels (in, out). A
/// backward function returns the gradients of sum(dst * diff_dst).
namespace sluice::reference {

using Values = std::vector<double>;

struct ImageShape {
  int n, h, w, c;
};

/// dst (n, rows, columns, filters). A depthwise kernel is (kh, kw, c, 1). `bias` may be empty.
Values conv2d(const Values& src, ImageShape shape, const Values& kernel, const Values& bias,
              const operation::Convolution& convolution);

struct Conv2DGradients {
  Values src, kernel, bias;
};
Conv2DGradients conv2d_backward(const Values& src, ImageShape shape, const Values& kernel,
                                const operation::Convolution& convolution, const Values& diff_dst);

/// Tensors of an operation::CondConvolution; kernel (kernels, kh, kw, in, out).
struct CondConv2DTensors {
  Values gate_kernel, gate_bias, kernel, bias;
};
/// Convolves with each kernel, and adds the results, each times its weight.
Values cond_conv2d(const Values& src, ImageShape shape, const CondConv2DTensors& of,
                   const operation::CondConvolution& operation);

struct CondConv2DGradients {
  Values src;
  CondConv2DTensors of;
};
CondConv2DGradients cond_conv2d_backward(const Values& src, ImageShape shape,
                                         const CondConv2DTensors& of,
                                         const operation::CondConvolution& operation,
                                         const Values& diff_dst);

/// dst (n, rows, columns, c). The first of equal values is the largest.
Values pooling2d(const Values& src, ImageShape shape, const operation::Pooling& pooling);
Values pooling2d_backward(const Values& src, ImageShape shape, const operation::Pooling& pooling,
                          const Values& diff_dst);

/// Values of the last axis, each with its own figures, all of them there.
struct Normalized {
  Values mean, variance, gamma, beta;
  double epsilon;
};
/// Mean and biased variance of each channel.
void moments(const Values& src, std::size_t channels, Values& mean, Values& variance);
Values batch_normalization(const Values& src, const Normalized& by);

struct NormalizedGradients {
  Values src, gamma, beta;
};
/// `of_batch`: mean and variance are those of src, and change with it.
NormalizedGradients batch_normalization_backward(const Values& src, const Normalized& by,
                                                 bool of_batch, const Values& diff_dst);

Values pad(const Values& src, ImageShape shape, const operation::Pad& pad);
Values pad_backward(ImageShape shape, const operation::Pad& pad, const Values& diff_dst);

/// dst (n, units) = src (n, in) kernel (in, units) + bias (units), which may be empty
Values dense(const Values& src, int n, const Values& kernel, int units, const Values& bias);

struct DenseGradients {
  Values src, kernel, bias;
};
DenseGradients dense_backward(const Values& src, int n, const Values& kernel, int units,
                              const Values& diff_dst);

Values relu(const Values& src);
Values relu_backward(const Values& dst, const Values& diff_dst);

/// An activation that works value by value, and its derivative.
double activation(const operation::Activate& activate, double x);
double activation_slope(const operation::Activate& activate, double x);

/// Softmax over rows of `classes` values.
Values softmax(const Values& src, int classes);
Values softmax_backward(const Values& dst, int classes, const Values& diff_dst);

/// Of values of one size.
Values sum(const std::vector<Values>& src);
Values product(const std::vector<Values>& src);
std::vector<Values> product_backward(const std::vector<Values>& src, const Values& diff_dst);

/// Row by row, the values of each source one after another.
Values concatenated(const std::vector<Values>& src, std::size_t rows);
std::vector<Values> concatenated_backward(const std::vector<Values>& src, std::size_t rows,
                                          const Values& diff_dst);

/// kept: 1 or 0 for each element.
Values dropout(const Values& src, const std::vector<std::uint8_t>& kept, double rate);

/// Sum over the rows of -log(p[label]), p = outputs / sum(outputs) clipped as Keras does.
double cross_entropy(const Values& outputs, const std::vector<int>& labels);

/// One step of Keras's Adam, t from 1; m, v and w are updated.
void adam(Values& w, Values& m, Values& v, const Values& g, int t, double learning_rate,
          double beta_1, double beta_2, double epsilon);

}  // namespace sluice::reference
