// Tests every operation of the table in op_cases.h: compares it with the plain reference, compares
// the reference with central differences, and checks that bad shapes are refused and that no byte
// outside its memory changes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ops/op_cases.h"
#include "ops/relu.h"
#include "ops/split_channels.h"
#include "sluice/error.h"

namespace sluice::ops {
namespace {

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

class OpTest : public testing::Test {
 protected:
  /// Returns Keras's layout.
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
      ASSERT_TRUE(std::isfinite(actual[i])) << what << " at " << i;
      largest = std::max(largest, std::abs(expected[i]));
      worst = std::max(worst, std::abs(actual[i] - expected[i]));
    }
    EXPECT_LE(worst / largest, tolerance) << what;
  }

  /// With random sources; parameters are random, or 0.
  void expect_reference(const OpCase& c, bool zero_parameters = false);

  onednn::Context context_;
  Workspace workspace_;
};

void OpTest::expect_reference(const OpCase& c, bool zero_parameters) {
  // What was in scratch memory must not matter.
  constexpr std::size_t kScratch = 1 << 20;
  context_.reserve_scratch(kScratch * sizeof(float));
  const auto src_desc = onednn::layout(c.dims, c.layout);
  Guarded src_memory(Values(src_desc.get_size() / sizeof(float)));
  const auto src = onednn::at(context_, src_desc, src_memory.data());
  const std::size_t elements = read(src).size();
  const auto parameter = [&](std::size_t count, std::uint32_t stream) {
    return zero_parameters ? Values(count) : random_values(count, stream);
  };
  const Inputs in{random_values(elements, 1), parameter(c.kernel, 2), parameter(c.bias, 3)};
  Guarded kernel(in.kernel), bias(in.bias);
  Guarded diff_kernel((Values(c.kernel))), diff_bias((Values(c.bias)));
  const Values expected = c.forward(in);
  // As large as the largest, blocks filled up. What was there before must not matter, either.
  const std::size_t largest = 2 * std::max(elements, 4 * expected.size());
  Guarded gradients[2] = {Guarded(Values(largest, NAN)), Guarded(Values(largest, NAN))};

  Plan plan{context_, workspace_, true, true};
  plan.free_gradients = {gradients[1].data(), gradients[0].data()};
  const auto op =
      c.make(plan, src, {kernel.data(), diff_kernel.data()}, {bias.data(), diff_bias.data()});
  const auto diff_dst = plan.take_gradient(op->dst().get_desc());
  const auto diff_src = op->plan_backward(plan, diff_dst, true);

  for (int repeat = 0; repeat < 2; ++repeat) {  // a step must not leave anything for the next
    std::fill_n(context_.scratch(), kScratch, NAN);
    for (Guarded& buffer : gradients) std::fill_n(buffer.data(), largest, NAN);
    write(in.src, src);
    op->load_parameters(context_);
    op->forward(context_, pass_of(onednn::dims_of(op->src())[0]));
    expect_close(read(op->dst()), expected, c.tolerance, "dst");

    const Values diff = random_values(expected.size(), 4);
    write(diff, diff_dst);
    std::fill_n(context_.scratch(), kScratch, NAN);
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

class EveryOp : public OpTest, public testing::WithParamInterface<OpCase> {};

TEST_P(EveryOp, EqualsTheReference) {
  expect_reference(GetParam());
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

/// A thread has more tiles than it works on at once. Rounding errors grow with the number of
/// filters, so it is the same for vectors of 8 and 16 floats.
TEST_F(OpTest, WinogradOfManyChannelsGoesInRounds) {
  if (convolution::winograd() == nullptr)
    GTEST_SKIP() << "this processor has no vectors of 8 floats";
  constexpr int kFilters = 96;
  const int blocks = kFilters / convolution::winograd()->gradient.width;
  const ThreadTeam alone(1);
  expect_reference(winograd_case("rounds", convolution::winograd(), 1, 28, 28, 1, blocks, false));
}

/// Where all of a pool are equal, its gradient is the first one's.
TEST_F(OpTest, WinogradPoolsTakeTheFirstOfEqualValues) {
  if (convolution::winograd() == nullptr)
    GTEST_SKIP() << "this processor has no vectors of 8 floats";
  expect_reference(winograd_case("equal", convolution::winograd(), 2, 8, 8, 1, 1, false, true),
                   true);
}

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
                             making<Conv2D>(Conv2DShape{{8, same(3)}, true}, kNoParameter,
                                            kNoParameter),
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
                    BadShape{"reshape_to_another_size",
                             {2, 8},
                             Tag::nc,
                             making<Reshape>(Shape{2, 2, 3}),
                             "[reshape] (8) cannot become (2, 2, 3)"},
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
  EXPECT_TRUE(suits(32, 8, {{32, same(3)}, true}, blocked));
  EXPECT_FALSE(suits(32, 8, {{32, same(5)}, true}, blocked)) << "5x5";
  EXPECT_FALSE(suits(32, 2, {{32, same(3)}, true}, blocked)) << "a tile has 4x4";
  EXPECT_FALSE(suits(32, 8, {{12, same(3)}, true}, blocked)) << "filters are no whole blocks";
  EXPECT_FALSE(suits(32, 8, {{32, same(3)}, true}, Tag::nhwc)) << "not in blocks";
  EXPECT_FALSE(suits(32, 8, {{32, {3, 2, 1, 1, 1, 1}}, true}, blocked)) << "strides";
  EXPECT_FALSE(suits(32, 8, {{32, {3, 1}}, true}, blocked)) << "without zeros around";
  EXPECT_FALSE(suits(32, 8, {{32, same(3), true}, true}, blocked)) << "depthwise";
  using Kind = operation::Pooling::Kind;
  EXPECT_TRUE(WinogradConv2D::suits_pool({Kind::max, {2, 2}}));
  EXPECT_FALSE(WinogradConv2D::suits_pool({Kind::average, {2, 2}}));
  EXPECT_FALSE(WinogradConv2D::suits_pool({Kind::max, {3, 3}}));
  EXPECT_FALSE(WinogradConv2D::suits_pool({Kind::max, {2, 2, 0, 0, 1, 1}})) << "padding";
}

TEST(MaxPooling2D, GivesTheGradientToTheFirstOfEqualValuesAndKeepsNaN) {
  for (const std::int64_t channels : {1, 3, 8}) {  // scalar and vector code
    onednn::Context context;
    Workspace workspace;
    Plan plan{context, workspace, true};
    const auto src = plan.take(onednn::layout({1, channels, 2, 4}, Tag::nhwc));
    plan.gradient_bytes = 1 << 10;
    MaxPooling2D pooling(plan, src, 2);
    const auto diff_dst = plan.take_gradient(pooling.dst().get_desc());
    const auto diff_src = pooling.plan_backward(plan, diff_dst, true);

    std::fill_n(onednn::data(src), 8 * channels, -2.f);
    onednn::data(src)[6 * channels] = NAN;  // lower left of the second pool, first channel
    std::fill_n(onednn::data(diff_dst), 2 * channels, 1.f);
    pooling.forward(context, Pass{});
    pooling.backward_data(context);
    EXPECT_EQ(onednn::data(pooling.dst())[0], -2.f);
    EXPECT_TRUE(std::isnan(onednn::data(pooling.dst())[channels]));
    const float* gradients = onednn::data(diff_src);
    EXPECT_EQ(gradients[0], 1.f);
    for (const int pixel : {1, 4, 5}) EXPECT_EQ(gradients[pixel * channels], 0.f) << pixel;
  }
}

TEST(Relu, KeepsNaN) {
  onednn::Context context;
  Workspace workspace;
  Plan plan{context, workspace, true};
  const auto values = plan.take(onednn::layout({1, 4}, Tag::nc));
  std::ranges::copy(std::vector<float>{NAN, -1, 2, NAN}, onednn::data(values));
  relu(values, true);
  EXPECT_TRUE(std::isnan(onednn::data(values)[0]));
  EXPECT_EQ(onednn::data(values)[1], 0);
  EXPECT_EQ(onednn::data(values)[2], 2);
  EXPECT_TRUE(std::isnan(onednn::data(values)[3]));
}

TEST(SplitChannels, GivesEachChannelAPlane) {
  onednn::Context context;
  Workspace workspace;
  Plan plan{context, workspace, true};
  for (const std::int64_t channels : {2, 3, 4}) {
    const dnnl::memory::dims dims{3, channels, 5, 7};
    const auto src = plan.take(onednn::layout(dims, Tag::nhwc));
    const auto dst = plan.take(onednn::layout(dims, Tag::nchw));
    ASSERT_TRUE(splits_channels(src, dst));
    for (int i = 0; i < 3 * channels * 35; ++i) onednn::data(src)[i] = static_cast<float>(i);
    split_channels(src, dst);
    for (int n = 0; n < 3; ++n) {
      for (int c = 0; c < channels; ++c) {
        for (int pixel = 0; pixel < 35; ++pixel) {
          EXPECT_EQ(onednn::data(dst)[(n * channels + c) * 35 + pixel],
                    static_cast<float>((n * 35 + pixel) * channels + c));
        }
      }
    }
    EXPECT_FALSE(splits_channels(dst, src));
  }
  const dnnl::memory::dims many{3, 5, 5, 7};
  EXPECT_FALSE(splits_channels(plan.take(onednn::layout(many, Tag::nhwc)),
                               plan.take(onednn::layout(many, Tag::nchw))));
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
  Pass pass = pass_of(2);
  dropout.forward(context, pass);
  const auto first = dropout.kept();
  const double share = std::count(first.begin(), first.end(), 1) / 100000.0;
  EXPECT_NEAR(share, 0.7, 4 * std::sqrt(0.21 / 100000));
  EXPECT_FALSE(std::equal(first.begin(), first.begin() + 50000, first.begin() + 50000));
  EXPECT_FALSE(std::equal(first.begin(), first.begin() + 2048, first.begin() + 2048))
      << "numbers are drawn so many at a time";
  ++pass.step;
  dropout.forward(context, pass);
  EXPECT_NE(dropout.kept(), first);
}

TEST(Dropout, ADividedBatchHasTheMasksOfTheWholeAndPaddingHasNone) {
  constexpr int kRows = 5;
  constexpr std::size_t kElements = 100;
  onednn::Context context;
  Workspace workspace;
  Plan plan{context, workspace, true};
  const auto src = plan.take(onednn::layout({kRows, kElements}, Tag::nc));
  Dropout dropout(plan, src, 0.5f, 0);
  const auto values_after = [&](const Pass& pass) {
    std::fill_n(onednn::data(src), kRows * kElements, 1.f);
    dropout.forward(context, pass);
    return std::vector<float>(onednn::data(src), onednn::data(src) + kRows * kElements);
  };
  const std::vector<float> whole = values_after(pass_of(kRows));
  Pass later = pass_of(2);
  later.first_row = 3;
  const std::vector<float> part = values_after(later);
  EXPECT_TRUE(
      std::equal(part.begin(), part.begin() + 2 * kElements, whole.begin() + 3 * kElements));
  EXPECT_EQ(std::count(part.begin() + 2 * kElements, part.end(), 1.f), 3 * kElements);
}

}  // namespace
}  // namespace sluice::ops
