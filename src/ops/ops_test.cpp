// Every operation from one table: against the plain reference, the reference against central
// differences, bad shapes refused, and no byte written outside what it was given.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>

#include "base/random.h"
#include "ops/conv2d.h"
#include "ops/dense.h"
#include "ops/dropout.h"
#include "ops/flatten.h"
#include "ops/max_pooling2d.h"
#include "ops/reference/reference.h"
#include "ops/softmax.h"
#include "ops/winograd_conv2d.h"
#include "sluice/error.h"

// As avx512.cpp has them, but for any processor.
#define SLUICE_WIDTH 16
#include "ops/convolution/winograd.h"

namespace sluice::ops {
namespace {

using onednn::Tag;
using reference::Values;

constexpr double kDropRate = 0.25;
constexpr Pass kPass{true, 7, 3, 11};

/// In [-1, 1], counted.
Values random_values(std::size_t count, std::uint32_t stream) {
  const RandomStream random(1, Purpose::drawing, stream, 0);
  Values values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = 2 * RandomStream::unit(random.bits(static_cast<std::uint32_t>(i))[0]) - 1;
  }
  return values;
}

/// Floats between two guards.
class Guarded {
 public:
  explicit Guarded(const Values& values) : memory_(values.size() + 2 * kGuard, kPattern) {
    std::copy(values.begin(), values.end(), memory_.begin() + kGuard);
  }
  float* data() { return memory_.data() + kGuard; }
  Values values() const { return {memory_.begin() + kGuard, memory_.end() - kGuard}; }
  bool intact() const {
    const auto untouched = [](float x) { return x == kPattern; };
    return std::all_of(memory_.begin(), memory_.begin() + kGuard, untouched) &&
           std::all_of(memory_.end() - kGuard, memory_.end(), untouched);
  }

 private:
  static constexpr std::size_t kGuard = 64;
  static constexpr float kPattern = -12345.678f;
  std::vector<float> memory_;
};

struct Inputs {
  Values src, kernel, bias;
};
struct Gradients {
  Values src, kernel, bias;
};

struct OpCase {
  const char* name;
  dnnl::memory::dims dims;  ///< (N, C, H, W) or (N, C)
  Tag layout;               ///< of src
  std::size_t kernel = 0;   ///< sizes of the parameters
  std::size_t bias = 0;
  std::function<std::unique_ptr<Op>(Plan&, const dnnl::memory&, Parameter, Parameter)> make;
  std::function<Values(const Inputs&)> forward;
  std::function<Gradients(const Inputs&, const Values& diff_dst)> backward;
  double tolerance = 1e-5;  ///< relative to the largest value
};

void PrintTo(const OpCase& c, std::ostream* out) {
  *out << c.name;
}

OpCase conv2d_case(const char* name, int n, int h, int w, int c, int filters, int k, bool relu,
                   Tag layout = Tag::nhwc) {
  const reference::ImageShape shape{n, h, w, c};
  const auto forward = [=](const Inputs& in) {
    const Values dst = reference::conv2d(in.src, shape, in.kernel, in.bias, k);
    return relu ? reference::relu(dst) : dst;
  };
  return {name,
          {n, c, h, w},
          layout,
          std::size_t(k) * k * c * filters,
          std::size_t(filters),
          [=](Plan& plan, const dnnl::memory& src, Parameter kernel, Parameter bias) {
            return std::make_unique<Conv2D>(plan, src, Conv2DShape{filters, k, relu}, kernel, bias);
          },
          forward,
          [=](const Inputs& in, const Values& diff_dst) {
            const Values diff = relu ? reference::relu_backward(forward(in), diff_dst) : diff_dst;
            auto g = reference::conv2d_backward(in.src, shape, in.kernel, filters, k, diff);
            return Gradients{g.src, g.kernel, g.bias};
          }};
}

const convolution::Algorithm kWinograd16 = convolution::winograd_algorithm("winograd, 16 floats");

/// Channels and filters in blocks of the algorithm's vectors.
OpCase winograd_case(const char* name, const convolution::Algorithm* algorithm, int n, int h, int w,
                     int blocks, int filter_blocks, bool relu) {
  const int width = algorithm == nullptr ? 8 : algorithm->gradient.width;
  OpCase result = conv2d_case(name, n, h, w, blocks * width, filter_blocks * width, 3, relu,
                              width == 16 ? Tag::nChw16c : Tag::nChw8c);
  if (algorithm == nullptr) return result;
  const Conv2DShape shape{filter_blocks * width, 3, relu};
  result.make = [=](Plan& plan, const dnnl::memory& src, Parameter kernel, Parameter bias) {
    EXPECT_TRUE(WinogradConv2D::suits(*algorithm, src, shape));
    return std::make_unique<WinogradConv2D>(plan, src, shape, kernel, bias, *algorithm);
  };
  return result;
}

OpCase dense_case(const char* name, int n, int in_size, int units, bool relu) {
  const auto forward = [=](const Inputs& in) {
    const Values dst = reference::dense(in.src, n, in.kernel, in.bias);
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

OpCase pooling_case(const char* name, int n, int h, int w, int c, int pool, Tag layout) {
  const reference::ImageShape shape{n, h, w, c};
  return {
      name,
      {n, c, h, w},
      layout,
      0,
      0,
      [=](Plan& plan, const dnnl::memory& src, Parameter, Parameter) {
        return std::make_unique<MaxPooling2D>(plan, src, pool);
      },
      [=](const Inputs& in) { return reference::max_pooling2d(in.src, shape, pool); },
      [=](const Inputs& in, const Values& diff_dst) {
        return Gradients{reference::max_pooling2d_backward(in.src, shape, pool, diff_dst), {}, {}};
      }};
}

/// The mask is what the operation itself must draw, whatever the layout.
std::vector<std::uint8_t> expected_mask(const dnnl::memory::dims& dims) {
  std::size_t elements = 1;
  for (std::size_t axis = 1; axis < dims.size(); ++axis) elements *= dims[axis];
  const std::size_t calls = (elements + 7) / 8;
  const RandomStream random(kPass.seed, Purpose::dropout, kPass.stream + 5, kPass.step);
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

OpCase dropout_case(const char* name, dnnl::memory::dims dims, Tag layout) {
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

OpCase softmax_case(const char* name, int n, int classes) {
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

OpCase flatten_case(const char* name, dnnl::memory::dims dims, Tag layout) {
  return {name,
          dims,
          layout,
          0,
          0,
          [](Plan& plan, const dnnl::memory& src, Parameter, Parameter) {
            return std::make_unique<Flatten>(plan, src);
          },
          [](const Inputs& in) { return in.src; },
          [](const Inputs&, const Values& diff_dst) {
            return Gradients{diff_dst, {}, {}};
          }};
}

std::vector<OpCase> all_cases() {
  return {
      conv2d_case("conv2d_first_layer", 3, 9, 7, 3, 16, 3, true),
      conv2d_case("conv2d_no_relu", 2, 8, 8, 16, 8, 3, false),
      conv2d_case("conv2d_blocked", 2, 8, 6, 32, 64, 3, true, Tag::nChw8c),
      conv2d_case("conv2d_odd_channels", 2, 5, 5, 7, 9, 3, true),
      conv2d_case("conv2d_1x1", 2, 4, 4, 8, 8, 1, true),
      conv2d_case("conv2d_5x5", 1, 6, 6, 8, 8, 5, false),
      conv2d_case("conv2d_even_kernel", 1, 6, 6, 8, 8, 2, false),
      conv2d_case("conv2d_one_pixel", 1, 1, 1, 8, 8, 3, false),
      // With AVX2 their kernels' gradients are ours, in bands of rows.
      conv2d_case("conv2d_several_bands", 2, 37, 60, 8, 8, 3, true, Tag::nChw8c),
      conv2d_case("conv2d_blocked_1x1", 2, 4, 6, 16, 8, 1, true, Tag::nChw8c),
      conv2d_case("conv2d_blocked_5x5", 2, 5, 3, 8, 16, 5, false, Tag::nChw8c),
      winograd_case("winograd", convolution::winograd(), 2, 8, 8, 2, 3, true),
      winograd_case("winograd_no_relu", convolution::winograd(), 1, 12, 4, 1, 1, false),
      winograd_case("winograd_over_the_edge", convolution::winograd(), 3, 7, 9, 1, 2, true),
      winograd_case("winograd_many_tiles", convolution::winograd(), 5, 24, 24, 1, 1, true),
      winograd_case("winograd_16", &kWinograd16, 2, 8, 8, 2, 3, true),
      winograd_case("winograd_16_over_the_edge", &kWinograd16, 3, 7, 9, 1, 2, true),
      dense_case("dense", 4, 12, 5, false),
      dense_case("dense_relu", 3, 64, 32, true),
      dense_case("dense_one_row", 1, 33, 10, true),
      pooling_case("max_pooling2d", 2, 8, 6, 16, 2, Tag::nhwc),
      pooling_case("max_pooling2d_blocked", 2, 8, 8, 32, 2, Tag::nChw8c),
      pooling_case("max_pooling2d_remainder", 2, 7, 5, 8, 2, Tag::nhwc),
      pooling_case("max_pooling2d_3x3", 1, 9, 9, 8, 3, Tag::nChw8c),
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

class EveryOp : public testing::TestWithParam<OpCase> {
 protected:
  /// Keras's order, whatever the layout.
  static Tag plain(const dnnl::memory::dims& dims) {
    return dims.size() == 4 ? Tag::nhwc : Tag::nc;
  }

  Values read(const dnnl::memory& tensor) {
    const auto dims = onednn::dims_of(tensor);
    dnnl::memory out(onednn::layout(dims, plain(dims)), context_.engine());
    onednn::reorder(context_, tensor, out).run(context_);
    return {onednn::data(out), onednn::data(out) + onednn::stored(out)};
  }

  void write(const Values& values, const dnnl::memory& tensor) {
    const auto dims = onednn::dims_of(tensor);
    dnnl::memory in(onednn::layout(dims, plain(dims)), context_.engine());
    ASSERT_EQ(onednn::stored(in), values.size());
    std::copy(values.begin(), values.end(), onednn::data(in));
    onednn::reorder(context_, in, tensor).run(context_);
  }

  static void expect_close(const Values& actual, const Values& expected, double tolerance,
                           const char* what) {
    ASSERT_EQ(actual.size(), expected.size()) << what;
    double largest = 1e-30;
    double worst = 0;
    for (std::size_t i = 0; i < actual.size(); ++i) {
      largest = std::max(largest, std::abs(expected[i]));
      worst = std::max(worst, std::abs(actual[i] - expected[i]));
    }
    EXPECT_LE(worst / largest, tolerance) << what;
  }

  onednn::Context context_;
  Workspace workspace_;
};

TEST_P(EveryOp, EqualsTheReference) {
  const OpCase& c = GetParam();
  const auto src_desc = onednn::layout(c.dims, c.layout);
  Guarded src_memory(Values(src_desc.get_size() / sizeof(float)));
  const auto src = onednn::at(context_, src_desc, src_memory.data());
  const std::size_t elements = read(src).size();
  const Inputs in{random_values(elements, 1), random_values(c.kernel, 2), random_values(c.bias, 3)};
  Guarded kernel(in.kernel), bias(in.bias);
  Guarded diff_kernel((Values(c.kernel))), diff_bias((Values(c.bias)));
  // Larger than any gradient of an activation here.
  Guarded gradients[2] = {Guarded(Values(1 << 16)), Guarded(Values(1 << 16))};

  Plan plan{context_, workspace_, true, true, {gradients[0].data(), gradients[1].data()}};
  const auto op =
      c.make(plan, src, {kernel.data(), diff_kernel.data()}, {bias.data(), diff_bias.data()});
  const auto diff_dst = plan.take_gradient(op->dst().get_desc());
  const auto diff_src = op->plan_backward(plan, diff_dst, true);

  for (int repeat = 0; repeat < 2; ++repeat) {  // nothing may be left over from a step before
    write(in.src, src);
    op->load_parameters(context_);
    op->forward(context_, kPass);
    const Values expected = c.forward(in);
    expect_close(read(op->dst()), expected, c.tolerance, "dst");

    const Values diff = random_values(expected.size(), 4);
    write(diff, diff_dst);
    op->backward_weights(context_);
    op->backward_data(context_);
    const Gradients g = c.backward(in, diff);
    expect_close(read(diff_src), g.src, c.tolerance, "diff_src");
    expect_close(diff_kernel.values(), g.kernel, c.tolerance, "diff_kernel");
    expect_close(diff_bias.values(), g.bias, c.tolerance, "diff_bias");
  }
  for (Guarded* g :
       {&src_memory, &kernel, &bias, &diff_kernel, &diff_bias, &gradients[0], &gradients[1]}) {
    EXPECT_TRUE(g->intact());
  }
  EXPECT_EQ(kernel.values(), Guarded(in.kernel).values()) << "parameters are only read";
}

TEST_P(EveryOp, ReferenceGradientEqualsCentralDifferences) {
  const OpCase& c = GetParam();
  std::size_t elements = 1;
  for (const auto size : c.dims) elements *= size;
  Inputs in{random_values(elements, 1), random_values(c.kernel, 2), random_values(c.bias, 3)};
  const Values diff = random_values(c.forward(in).size(), 4);
  const Gradients g = c.backward(in, diff);
  const auto objective = [&] {
    const Values dst = c.forward(in);
    double sum = 0;
    for (std::size_t i = 0; i < dst.size(); ++i) sum += dst[i] * diff[i];
    return sum;
  };
  constexpr double kStep = 1e-6;
  for (auto [values, gradient] :
       {std::pair{&in.src, &g.src}, {&in.kernel, &g.kernel}, {&in.bias, &g.bias}}) {
    const std::size_t stride = std::max<std::size_t>(1, values->size() / 40);
    for (std::size_t i = 0; i < values->size(); i += stride) {
      const double at = (*values)[i];
      (*values)[i] = at + kStep;
      const double above = objective();
      (*values)[i] = at - kStep;
      const double below = objective();
      (*values)[i] = at;
      EXPECT_NEAR((*gradient)[i], (above - below) / (2 * kStep), 1e-5) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops, EveryOp, testing::ValuesIn(all_cases()),
                         [](const auto& test) { return std::string(test.param.name); });

struct BadShape {
  const char* name;
  dnnl::memory::dims dims;
  Tag layout;
  std::function<void(Plan&, const dnnl::memory&)> make;
  const char* message;
};

void PrintTo(const BadShape& c, std::ostream* out) {
  *out << c.name;
}

class BadShapes : public testing::TestWithParam<BadShape> {};

TEST_P(BadShapes, AreRefusedWithTheirShape) {
  const BadShape& c = GetParam();
  onednn::Context context;
  Workspace workspace;
  Plan plan{context, workspace, true};
  const auto src = plan.take(onednn::layout(c.dims, c.layout));
  try {
    c.make(plan, src);
    FAIL() << "not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::user);
    EXPECT_THAT(error.what(), testing::HasSubstr(c.message));
  }
}

template <class Made, class... Arguments>
std::function<void(Plan&, const dnnl::memory&)> making(Arguments... arguments) {
  return [=](Plan& plan, const dnnl::memory& src) { Made(plan, src, arguments...); };
}

const Parameter kNoParameter{nullptr, nullptr};

INSTANTIATE_TEST_SUITE_P(
    Ops, BadShapes,
    testing::Values(BadShape{"conv2d_of_rows",
                             {2, 8},
                             Tag::nc,
                             making<Conv2D>(Conv2DShape{8, 3, true}, kNoParameter, kNoParameter),
                             "[conv2d] takes images (height, width, channels), not (8)"},
                    BadShape{"pool_too_large",
                             {2, 8, 3, 3},
                             Tag::nhwc,
                             making<MaxPooling2D>(4),
                             "[max_pooling2d] a pool of 4x4 does not fit into (3, 3, 8)"},
                    BadShape{"pool_of_rows",
                             {2, 8},
                             Tag::nc,
                             making<MaxPooling2D>(2),
                             "[max_pooling2d] a pool of 2x2 does not fit into (8)"},
                    BadShape{"dense_of_images",
                             {2, 8, 3, 3},
                             Tag::nhwc,
                             making<Dense>(5, true, kNoParameter, kNoParameter),
                             "[dense] takes one axis, not (3, 3, 8): put a Flatten before it"},
                    BadShape{"softmax_of_images",
                             {2, 8, 3, 3},
                             Tag::nhwc,
                             making<Softmax>(),
                             "[softmax] takes one axis, not (3, 3, 8): put a Flatten before it"},
                    BadShape{"flatten_of_rows",
                             {2, 8},
                             Tag::nc,
                             making<Flatten>(),
                             "[flatten] takes images (height, width, channels), not (8)"},
                    BadShape{"dropout_of_everything",
                             {2, 8},
                             Tag::nc,
                             making<Dropout>(1.f, 0u),
                             "[dropout] a rate of 1: must be at least 0 and below 1"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(WinogradConv2D, IsChosenWhereItSuits) {
  if (convolution::winograd() == nullptr)
    GTEST_SKIP() << "this processor has no vectors of 8 floats";
  onednn::Context context;
  Workspace workspace;
  Plan plan{context, workspace, true};
  const auto suits = [&](std::int64_t channels, std::int64_t size, Conv2DShape shape, Tag tag) {
    return WinogradConv2D::suits(plan.take(onednn::layout({2, channels, size, size}, tag)), shape);
  };
  const Tag blocked = convolution::winograd()->gradient.width == 16 ? Tag::nChw16c : Tag::nChw8c;
  EXPECT_TRUE(suits(32, 8, {32, 3, true}, blocked));
  EXPECT_FALSE(suits(32, 8, {32, 5, true}, blocked)) << "5x5";
  EXPECT_FALSE(suits(32, 2, {32, 3, true}, blocked)) << "a tile has 4x4";
  EXPECT_FALSE(suits(32, 8, {12, 3, true}, blocked)) << "filters are no whole blocks";
  EXPECT_FALSE(suits(32, 8, {32, 3, true}, Tag::nhwc)) << "not in blocks";
}

TEST(Dropout, DoesNothingWithoutIt) {
  onednn::Context context;
  Workspace workspace;
  Plan plan{context, workspace, true};
  const auto src = plan.take(onednn::layout({4, 100}, Tag::nc));
  std::fill_n(onednn::data(src), 400, 1.f);
  Dropout dropout(plan, src, 0.5f, 0);
  dropout.forward(context, Pass{});
  EXPECT_EQ(std::count(onednn::data(src), onednn::data(src) + 400, 1.f), 400);
}

TEST(Dropout, KeepsTheShareItShouldAndDiffersByStepAndImage) {
  onednn::Context context;
  Workspace workspace;
  Plan plan{context, workspace, true};
  const auto src = plan.take(onednn::layout({2, 50000}, Tag::nc));
  Dropout dropout(plan, src, 0.3f, 0);
  dropout.forward(context, kPass);
  const auto first = dropout.kept();
  const double share = std::count(first.begin(), first.end(), 1) / 100000.0;
  EXPECT_NEAR(share, 0.7, 4 * std::sqrt(0.21 / 100000));
  EXPECT_FALSE(std::equal(first.begin(), first.begin() + 50000, first.begin() + 50000));
  dropout.forward(context, Pass{true, kPass.seed, kPass.stream, kPass.step + 1});
  EXPECT_NE(dropout.kept(), first);
}

}  // namespace
}  // namespace sluice::ops
