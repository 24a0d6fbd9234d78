#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>

#include "base/random.h"
#include "ops/batch_normalization.h"
#include "ops/cond_conv2d.h"
#include "ops/conv2d.h"
#include "ops/dense.h"
#include "ops/dropout.h"
#include "ops/max_pooling2d.h"
#include "ops/pad.h"
#include "ops/pooling2d.h"
#include "ops/reference/reference.h"
#include "ops/reshape.h"
#include "ops/scale.h"
#include "ops/softmax.h"
#include "ops/winograd_conv2d.h"

// Same definitions as in avx512.cpp, but for any processor.
#define SLUICE_WIDTH 16
#include "ops/convolution/winograd.h"

namespace sluice::ops {

using onednn::Tag;
using reference::Values;

inline constexpr double kDropRate = 0.25;
/// A training pass without padding.
inline Pass pass_of(std::int64_t rows) {
  return {
      .phase = Phase::training, .rows = static_cast<int>(rows), .seed = 7, .stream = 3, .step = 11};
}

/// Returns counter-based random values in [-1, 1].
inline Values random_values(std::size_t count, std::uint32_t stream) {
  const RandomStream random(1, Purpose::drawing, stream, 0);
  Values values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = 2 * RandomStream::unit(random.bits(static_cast<std::uint32_t>(i))[0]) - 1;
  }
  return values;
}

struct Inputs {
  Values src, kernel, bias;
};
struct Gradients {
  Values src, kernel, bias;
};

struct OpCase {
  const char* name;
  dnnl::memory::dims dims;  ///< (N, C, H, W) or (N, C)
  Tag layout;               ///< layout of src
  std::size_t kernel = 0;   ///< sizes of the parameters
  std::size_t bias = 0;
  std::function<std::unique_ptr<Op>(Plan&, const dnnl::memory&, Parameter, Parameter)> make;
  std::function<Values(const Inputs&)> forward;
  std::function<Gradients(const Inputs&, const Values& diff_dst)> backward;
  double tolerance = 1e-5;  ///< relative to the largest value
};

inline void PrintTo(const OpCase& c, std::ostream* out) {
  *out << c.name;
}

/// Each pixel gives one result, with zeros around.
inline operation::Window same(int size) {
  return {size, 1, (size - 1) / 2, (size - 1) / 2, size / 2, size / 2};
}

inline OpCase conv2d_case(const char* name, const reference::ImageShape& shape,
                          const operation::Convolution& convolution, bool relu,
                          Tag layout = Tag::nhwc) {
  const auto forward = [=](const Inputs& in) {
    const Values dst = reference::conv2d(in.src, shape, in.kernel, in.bias, convolution);
    return relu ? reference::relu(dst) : dst;
  };
  const Size2D& size = convolution.window.size;
  const int outputs = convolution.depthwise ? 1 : convolution.filters;
  return {
      name,
      {shape.n, shape.c, shape.h, shape.w},
      layout,
      std::size_t(size.height) * size.width * shape.c * outputs,
      convolution.bias ? std::size_t(convolution.filters) : 0,
      [=](Plan& plan, const dnnl::memory& src, Parameter kernel, Parameter bias) {
        if (!convolution.bias) bias = {};
        return std::make_unique<Conv2D>(plan, src, Conv2DShape{convolution, relu}, kernel, bias);
      },
      forward,
      [=](const Inputs& in, const Values& diff_dst) {
        const Values diff = relu ? reference::relu_backward(forward(in), diff_dst) : diff_dst;
        auto g = reference::conv2d_backward(in.src, shape, in.kernel, convolution, diff);
        if (!convolution.bias) g.bias.clear();
        return Gradients{g.src, g.kernel, g.bias};
      }};
}

inline OpCase conv2d_case(const char* name, int n, int h, int w, int c, int filters, int k,
                          bool relu, Tag layout = Tag::nhwc) {
  return conv2d_case(name, {n, h, w, c}, {filters, same(k)}, relu, layout);
}

/// `bias` is the gate's kernel and its bias, and then the convolution's bias.
inline OpCase cond_conv2d_case(const char* name, const reference::ImageShape& shape, int kernels,
                               const operation::Convolution& convolution, Tag layout = Tag::nhwc) {
  const operation::CondConvolution operation{kernels, convolution};
  const Size2D& size = convolution.window.size;
  const auto gate = static_cast<std::ptrdiff_t>(shape.c * kernels);
  const auto tensors = [=](const Inputs& in) {
    const auto bias = in.bias.begin() + gate + kernels;
    return reference::CondConv2DTensors{{in.bias.begin(), in.bias.begin() + gate},
                                        {in.bias.begin() + gate, bias},
                                        in.kernel,
                                        {bias, in.bias.end()}};
  };
  return {name,
          {shape.n, shape.c, shape.h, shape.w},
          layout,
          std::size_t(kernels) * size.height * size.width * shape.c * convolution.filters,
          std::size_t((shape.c + 1) * kernels + (convolution.bias ? convolution.filters : 0)),
          [=](Plan& plan, const dnnl::memory& src, Parameter kernel, Parameter bias) {
            const auto behind = [&](std::ptrdiff_t values) {
              return Parameter{bias.values + values, bias.gradients + values};
            };
            return std::make_unique<CondConv2D>(
                plan, src, operation,
                CondConv2DParameters{bias, behind(gate), kernel,
                                     convolution.bias ? behind(gate + kernels) : Parameter{}});
          },
          [=](const Inputs& in) {
            return reference::cond_conv2d(in.src, shape, tensors(in), operation);
          },
          [=](const Inputs& in, const Values& diff_dst) {
            auto g =
                reference::cond_conv2d_backward(in.src, shape, tensors(in), operation, diff_dst);
            Values bias = std::move(g.of.gate_kernel);
            bias.insert(bias.end(), g.of.gate_bias.begin(), g.of.gate_bias.end());
            bias.insert(bias.end(), g.of.bias.begin(), g.of.bias.end());
            return Gradients{g.src, g.of.kernel, bias};
          }};
}

inline const convolution::Algorithm kWinograd16 =
    convolution::winograd_algorithm("winograd, 16 floats");

inline const operation::Pooling kPairs{operation::Pooling::Kind::max, {2, 2}};

/// Channels and filters are multiples of the algorithm's vector.
inline OpCase winograd_case(const char* name, const convolution::Algorithm* algorithm, int n, int h,
                            int w, int blocks, int filter_blocks, bool relu, bool pooled = false) {
  const int width = algorithm == nullptr ? 8 : algorithm->gradient.width;
  OpCase result = conv2d_case(name, n, h, w, blocks * width, filter_blocks * width, 3, relu,
                              width == 16 ? Tag::nChw16c : Tag::nChw8c);
  if (algorithm == nullptr) return result;
  const auto full_forward = result.forward;
  const Conv2DShape shape{{filter_blocks * width, same(3)}, relu};
  result.make = [=](Plan& plan, const dnnl::memory& src, Parameter kernel, Parameter bias) {
    EXPECT_TRUE(WinogradConv2D::suits(*algorithm, src, shape));
    EXPECT_TRUE(!pooled || WinogradConv2D::suits_pool(kPairs));
    return std::make_unique<WinogradConv2D>(plan, src, shape, pooled, kernel, bias, *algorithm);
  };
  if (!pooled) return result;
  const reference::ImageShape sums{n, h, w, shape.convolution.filters};
  result.forward = [=](const Inputs& in) {
    return reference::pooling2d(full_forward(in), sums, kPairs);
  };
  result.backward = [=, backward = result.backward](const Inputs& in, const Values& diff_dst) {
    return backward(in, reference::pooling2d_backward(full_forward(in), sums, kPairs, diff_dst));
  };
  return result;
}

inline OpCase dense_case(const char* name, int n, int in_size, int units, bool relu) {
  const auto forward = [=](const Inputs& in) {
    const Values dst = reference::dense(in.src, n, in.kernel, units, in.bias);
    return relu ? reference::relu(dst) : dst;
  };
  return {name,
          {n, in_size},
          Tag::nc,
          std::size_t(in_size) * units,
          std::size_t(units),
          [=](Plan& plan, const dnnl::memory& src, Parameter kernel, Parameter bias) {
            return std::make_unique<Dense>(plan, src, units, relu, kernel, bias);
          },
          forward,
          [=](const Inputs& in, const Values& diff_dst) {
            const Values diff = relu ? reference::relu_backward(forward(in), diff_dst) : diff_dst;
            auto g = reference::dense_backward(in.src, n, in.kernel, units, diff);
            return Gradients{g.src, g.kernel, g.bias};
          }};
}

/// An operation without parameters.
template <class Make, class Forward, class Backward>
OpCase plain_case(const char* name, const dnnl::memory::dims& dims, Tag layout, const Make& make,
                  const Forward& forward, const Backward& backward) {
  return {name,
          dims,
          layout,
          0,
          0,
          [=](Plan& plan, const dnnl::memory& src, Parameter, Parameter) {
            return std::unique_ptr<Op>(make(plan, src));
          },
          [=](const Inputs& in) { return forward(in.src); },
          [=](const Inputs& in, const Values& diff_dst) {
            return Gradients{backward(in.src, diff_dst), {}, {}};
          }};
}

/// `Pool` is MaxPooling2D, which has windows of one kind, or Pooling2D.
template <class Pool>
OpCase pooling_case(const char* name, const reference::ImageShape& shape,
                    const operation::Pooling& pooling, Tag layout) {
  return plain_case(
      name, {shape.n, shape.c, shape.h, shape.w}, layout,
      [=](Plan& plan, const dnnl::memory& src) {
        if constexpr (std::is_same_v<Pool, MaxPooling2D>) {
          return std::make_unique<Pool>(plan, src, pooling.window.size.height);
        } else {
          return std::make_unique<Pool>(plan, src, pooling);
        }
      },
      [=](const Values& src) { return reference::pooling2d(src, shape, pooling); },
      [=](const Values& src, const Values& diff) {
        return reference::pooling2d_backward(src, shape, pooling, diff);
      });
}

inline OpCase pooling_case(const char* name, int n, int h, int w, int c, int pool, Tag layout) {
  return pooling_case<MaxPooling2D>(name, {n, h, w, c},
                                    {operation::Pooling::Kind::max, {pool, pool}}, layout);
}

/// In training. Gamma is the kernel, beta the bias.
inline OpCase batch_normalization_case(const char* name, const dnnl::memory::dims& dims, Tag layout,
                                       bool relu) {
  const auto channels = static_cast<std::size_t>(dims[1]);
  const operation::BatchNormalization operation{0.9, 1e-3, true, true};
  const auto normalized = [=](const Inputs& in) {
    reference::Normalized by{{}, {}, in.kernel, in.bias, operation.epsilon};
    reference::moments(in.src, channels, by.mean, by.variance);
    return by;
  };
  const auto forward = [=](const Inputs& in) {
    const Values dst = reference::batch_normalization(in.src, normalized(in));
    return relu ? reference::relu(dst) : dst;
  };
  return {
      name,
      dims,
      layout,
      channels,
      channels,
      [=](Plan& plan, const dnnl::memory& src, Parameter gamma, Parameter beta) {
        static std::vector<float> moving_mean, moving_variance;
        moving_mean.assign(channels, 0);
        moving_variance.assign(channels, 1);
        return std::make_unique<BatchNormalization>(
            plan, src, operation, relu, false,
            BatchNormalizationParameters{gamma, beta, moving_mean.data(), moving_variance.data()});
      },
      forward,
      [=](const Inputs& in, const Values& diff_dst) {
        const Values diff = relu ? reference::relu_backward(forward(in), diff_dst) : diff_dst;
        auto g = reference::batch_normalization_backward(in.src, normalized(in), true, diff);
        return Gradients{g.src, g.gamma, g.beta};
      }};
}

inline OpCase pad_case(const char* name, const reference::ImageShape& shape,
                       const operation::Pad& pad, Tag layout) {
  return plain_case(
      name, {shape.n, shape.c, shape.h, shape.w}, layout,
      [=](Plan& plan, const dnnl::memory& src) { return std::make_unique<Pad>(plan, src, pad); },
      [=](const Values& src) { return reference::pad(src, shape, pad); },
      [=](const Values&, const Values& diff) { return reference::pad_backward(shape, pad, diff); });
}

inline OpCase scale_case(const char* name, const dnnl::memory::dims& dims, Tag layout) {
  std::vector<float> scale, offset;
  for (std::int64_t c = 0; c < dims[1]; ++c) {
    scale.push_back(0.5f + 0.25f * static_cast<float>(c));
    offset.push_back(1.f - static_cast<float>(c));
  }
  const auto scaled = [=](const Values& values, bool with_offset) {
    Values dst(values);
    for (std::size_t i = 0; i < dst.size(); ++i) {
      dst[i] = dst[i] * scale[i % scale.size()] + (with_offset ? offset[i % scale.size()] : 0);
    }
    return dst;
  };
  return plain_case(
      name, dims, layout,
      [=](Plan& plan, const dnnl::memory& src) {
        return std::make_unique<Scale>(plan, src, scale, offset);
      },
      [=](const Values& src) { return scaled(src, true); },
      [=](const Values&, const Values& diff) { return scaled(diff, false); });
}

/// Returns the mask that the operation must draw in any layout.
inline std::vector<std::uint8_t> expected_mask(const dnnl::memory::dims& dims) {
  std::size_t elements = 1;
  for (std::size_t axis = 1; axis < dims.size(); ++axis) elements *= dims[axis];
  const std::size_t calls = (elements + 7) / 8;
  const Pass pass = pass_of(dims[0]);
  const RandomStream random(pass.seed, Purpose::dropout, pass.stream + 5, pass.step);
  std::vector<std::uint8_t> kept;
  for (std::int64_t n = 0; n < dims[0]; ++n) {
    for (std::size_t e = 0; e < elements; ++e) {
      const auto bits = random.bits(static_cast<std::uint32_t>(n * calls + e / 8));
      const std::uint32_t number = bits[e % 8 / 2] >> (e % 2 * 16) & 0xffff;
      kept.push_back(number >= kDropRate * 65536);
    }
  }
  return kept;
}

inline OpCase dropout_case(const char* name, dnnl::memory::dims dims, Tag layout) {
  return {
      name,
      dims,
      layout,
      0,
      0,
      [=](Plan& plan, const dnnl::memory& src, Parameter, Parameter) {
        return std::make_unique<Dropout>(plan, src, float{kDropRate}, 5);
      },
      [=](const Inputs& in) { return reference::dropout(in.src, expected_mask(dims), kDropRate); },
      [=](const Inputs&, const Values& diff_dst) {
        return Gradients{reference::dropout(diff_dst, expected_mask(dims), kDropRate), {}, {}};
      }};
}

inline OpCase softmax_case(const char* name, int n, int classes) {
  return {name,
          {n, classes},
          Tag::nc,
          0,
          0,
          [=](Plan& plan, const dnnl::memory& src, Parameter, Parameter) {
            return std::make_unique<Softmax>(plan, src);
          },
          [=](const Inputs& in) { return reference::softmax(in.src, classes); },
          [=](const Inputs& in, const Values& diff_dst) {
            const Values dst = reference::softmax(in.src, classes);
            return Gradients{reference::softmax_backward(dst, classes, diff_dst), {}, {}};
          }};
}

inline OpCase flatten_case(const char* name, dnnl::memory::dims dims, Tag layout) {
  return {name,
          dims,
          layout,
          0,
          0,
          [=](Plan& plan, const dnnl::memory& src, Parameter, Parameter) {
            return std::make_unique<Reshape>(plan, src, Shape{dims[1] * dims[2] * dims[3]});
          },
          [](const Inputs& in) { return in.src; },
          [](const Inputs&, const Values& diff_dst) {
            return Gradients{diff_dst, {}, {}};
          }};
}

inline std::vector<OpCase> all_cases() {
  return {
      conv2d_case("conv2d_first_layer", 3, 9, 7, 3, 16, 3, true),
      conv2d_case("conv2d_no_relu", 2, 8, 8, 16, 8, 3, false),
      conv2d_case("conv2d_blocked", 2, 8, 6, 32, 64, 3, true, Tag::nChw8c),
      conv2d_case("conv2d_odd_channels", 2, 5, 5, 7, 9, 3, true),
      conv2d_case("conv2d_1x1", 2, 4, 4, 8, 8, 1, true),
      conv2d_case("conv2d_5x5", 1, 6, 6, 8, 8, 5, false),
      conv2d_case("conv2d_even_kernel", 1, 6, 6, 8, 8, 2, false),
      conv2d_case("conv2d_one_pixel", 1, 1, 1, 8, 8, 3, false),
      // With AVX2, Sluice's own kernel computes these gradients in bands of rows.
      conv2d_case("conv2d_several_bands", 2, 37, 60, 8, 8, 3, true, Tag::nChw8c),
      conv2d_case("conv2d_blocked_even", 2, 6, 6, 8, 8, 4, true, Tag::nChw8c),
      conv2d_case("conv2d_blocked_1x1", 2, 4, 6, 16, 8, 1, true, Tag::nChw8c),
      conv2d_case("conv2d_blocked_5x5", 2, 5, 3, 8, 16, 5, false, Tag::nChw8c),
      cond_conv2d_case("cond_conv2d", {3, 6, 5, 4}, 8, {4, same(3)}),
      cond_conv2d_case("cond_conv2d_groups", {150, 3, 3, 8}, 3, {16, same(3), false, false}),
      cond_conv2d_case("cond_conv2d_blocked", {2, 8, 7, 16}, 9, {24, same(5)}, Tag::nChw16c),
      cond_conv2d_case("cond_conv2d_odd", {2, 5, 4, 3}, 2, {5, same(3), false, false}),
      cond_conv2d_case("cond_conv2d_strides", {2, 7, 8, 5}, 4, {12, {3, 2, 1, 0, 1, 1}}),
      cond_conv2d_case("cond_conv2d_valid", {2, 8, 7, 3}, 2, {9, {{3, 2}, {2, 3}}}),
      cond_conv2d_case("cond_conv2d_1x1", {2, 4, 4, 6}, 1, {33, same(1)}),
      winograd_case("winograd", convolution::winograd(), 2, 8, 8, 2, 3, true),
      winograd_case("winograd_no_relu", convolution::winograd(), 1, 12, 4, 1, 1, false),
      winograd_case("winograd_over_the_edge", convolution::winograd(), 3, 7, 9, 1, 2, true),
      winograd_case("winograd_over_other_edges", convolution::winograd(), 2, 9, 11, 1, 1, true),
      winograd_case("winograd_two_over_the_edge", convolution::winograd(), 1, 10, 6, 1, 1, false),
      winograd_case("winograd_many_tiles", convolution::winograd(), 5, 24, 24, 1, 1, true),
      winograd_case("winograd_pooled", convolution::winograd(), 2, 8, 8, 2, 3, true, true),
      winograd_case("winograd_pooled_no_relu", convolution::winograd(), 1, 12, 4, 1, 1, false,
                    true),
      winograd_case("winograd_pooled_over_the_edge", convolution::winograd(), 3, 6, 10, 1, 2, true,
                    true),
      winograd_case("winograd_pooled_odd", convolution::winograd(), 3, 7, 9, 1, 2, true, true),
      winograd_case("winograd_pooled_odd_no_relu", convolution::winograd(), 2, 13, 4, 2, 1, false,
                    true),
      winograd_case("winograd_16_pooled_odd", &kWinograd16, 2, 5, 11, 1, 1, false, true),
      winograd_case("winograd_16_pooled", &kWinograd16, 3, 6, 10, 2, 1, true, true),
      winograd_case("winograd_16", &kWinograd16, 2, 8, 8, 2, 3, true),
      winograd_case("winograd_16_over_the_edge", &kWinograd16, 3, 7, 9, 1, 2, true),
      dense_case("dense", 4, 12, 5, false),
      dense_case("dense_relu", 3, 64, 32, true),
      dense_case("dense_one_row", 1, 33, 10, true),
      pooling_case("max_pooling2d", 2, 8, 6, 16, 2, Tag::nhwc),
      pooling_case("max_pooling2d_blocked", 2, 8, 8, 32, 2, Tag::nChw8c),
      pooling_case("max_pooling2d_remainder", 2, 7, 5, 8, 2, Tag::nhwc),
      pooling_case("max_pooling2d_odd_channels", 2, 6, 6, 5, 2, Tag::nhwc),
      pooling_case("max_pooling2d_3x3", 1, 9, 9, 8, 3, Tag::nChw8c),
      conv2d_case("conv2d_strides", {2, 7, 9, 3}, {8, {3, 2, 1, 1, 1, 1}}, true),
      conv2d_case("conv2d_strides_blocked", {2, 8, 6, 16}, {16, {3, 2, 0, 0, 1, 1}}, false,
                  Tag::nChw8c),
      conv2d_case("conv2d_valid", {2, 6, 7, 8}, {16, {3, 1}}, true, Tag::nChw8c),
      conv2d_case("conv2d_valid_remainder", {2, 8, 7, 3}, {8, {{3, 2}, {2, 3}}}, false),
      conv2d_case("conv2d_rectangle", {2, 6, 5, 16}, {8, {{1, 3}, 1, 0, 1, 0, 1}}, true,
                  Tag::nChw8c),
      conv2d_case("conv2d_without_bias", {2, 6, 6, 16}, {16, same(3), false, false}, true,
                  Tag::nChw8c),
      conv2d_case("depthwise", {2, 6, 5, 16}, {16, same(3), true}, true, Tag::nChw8c),
      conv2d_case("depthwise_strides", {2, 7, 5, 5}, {5, {3, 2, 1, 1, 1, 1}, true}, false),
      conv2d_case("depthwise_without_bias", {2, 6, 6, 8}, {8, {5, 1, 2, 2, 2, 2}, true, false},
                  false, Tag::nChw8c),
      pooling_case<Pooling2D>("max_pooling_overlapping", {2, 7, 8, 16},
                              {operation::Pooling::Kind::max, {3, 2}}, Tag::nChw8c),
      pooling_case<Pooling2D>("max_pooling_same", {2, 7, 8, 5},
                              {operation::Pooling::Kind::max, {3, 2, 1, 0, 1, 1}}, Tag::nhwc),
      pooling_case<Pooling2D>("average_pooling", {2, 7, 6, 16},
                              {operation::Pooling::Kind::average, {2, 2}}, Tag::nChw8c),
      pooling_case<Pooling2D>("average_pooling_same", {2, 7, 5, 3},
                              {operation::Pooling::Kind::average, {{3, 2}, 2, 1, 0, 1, 1}},
                              Tag::nhwc),
      pooling_case<Pooling2D>("average_pooling_of_all", {3, 4, 5, 16},
                              {operation::Pooling::Kind::average, {{4, 5}, {4, 5}}}, Tag::nChw16c),
      batch_normalization_case("batch_normalization", {4, 16, 5, 3}, Tag::nChw8c, true),
      batch_normalization_case("batch_normalization_16", {20, 32, 3, 3}, Tag::nChw16c, false),
      batch_normalization_case("batch_normalization_large", {2, 3, 24, 17}, Tag::nhwc, true),
      batch_normalization_case("batch_normalization_planes", {3, 5, 4, 4}, Tag::nchw, false),
      batch_normalization_case("batch_normalization_filled", {3, 5, 4, 4}, Tag::nChw8c, true),
      batch_normalization_case("batch_normalization_rows", {9, 7}, Tag::nc, false),
      pad_case("pad", {2, 3, 4, 5}, {1, 2, 0, 3}, Tag::nhwc),
      pad_case("pad_blocked", {2, 3, 4, 16}, {0, 1, 2, 1}, Tag::nChw8c),
      scale_case("scale", {2, 3, 4, 4}, Tag::nhwc),
      scale_case("scale_filled", {2, 5, 4, 4}, Tag::nChw8c),
      scale_case("scale_rows", {3, 6}, Tag::nc),
      dropout_case("dropout_plain", {3, 37}, Tag::nc),
      dropout_case("dropout_images", {2, 5, 3, 3}, Tag::nhwc),
      dropout_case("dropout_blocked", {2, 16, 4, 4}, Tag::nChw8c),
      dropout_case("dropout_blocked_16", {2, 32, 4, 4}, Tag::nChw16c),
      dropout_case("dropout_planes", {2, 3, 4, 4}, Tag::nchw),
      softmax_case("softmax", 4, 10),
      softmax_case("softmax_two", 3, 2),
      flatten_case("flatten", {2, 3, 4, 4}, Tag::nhwc),
      flatten_case("flatten_blocked", {2, 16, 4, 4}, Tag::nChw8c),
      flatten_case("flatten_planes", {2, 3, 4, 4}, Tag::nchw),
  };
}

}  // namespace sluice::ops
